// The certified `openid-client` as an application: signs in, asks who it is, refreshes, revokes, and
// ends the session. The one who starts it is the browser.
//
//     node client.mjs ISSUER CLIENT_ID [CLIENT_SECRET]
//
// stdout: the address to open; stdin: the address that the browser was sent back to; stdout: what
// came of it as JSON, with the address that ends the session.

import { createInterface } from 'node:readline/promises';

import * as client from 'openid-client';

const [issuer, clientId, secret] = process.argv.slice(2);
const REDIRECT = 'http://127.0.0.1:9/callback';
const authentication = secret ? client.ClientSecretBasic(secret) : client.None();

const config = await client.discovery(new URL(issuer), clientId, undefined, authentication, {
  execute: [client.allowInsecureRequests],
});
const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: REDIRECT,
  scope: 'openid profile email offline_access messages.read',
  prompt: 'consent',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
});
console.log(address.href);

const stdin = createInterface({ input: process.stdin });
const back = new URL((await stdin[Symbol.asyncIterator]().next()).value);
stdin.close();

const first = await client.authorizationCodeGrant(config, back, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const person = await client.fetchUserInfo(config, first.access_token, first.claims().sub);
const second = await client.refreshTokenGrant(config, first.refresh_token);
await client.tokenRevocation(config, second.refresh_token);
const refused = await client.refreshTokenGrant(config, second.refresh_token).catch((error) => error.error);
const end = client.buildEndSessionUrl(config, {
  id_token_hint: first.id_token,
  post_logout_redirect_uri: 'http://127.0.0.1:9/signed-out',
  state,
});

console.log(JSON.stringify({
  person: person.name,
  subject: first.claims().sub,
  scopes: first.scope,
  rotated: first.refresh_token !== second.refresh_token,
  renewed: first.access_token !== second.access_token,
  afterRevocation: refused,
  endSession: end.href,
  state,
}));
