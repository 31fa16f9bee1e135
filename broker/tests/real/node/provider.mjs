// The certified `oidc-provider` on a free loopback port: one public native client, rotating refresh
// tokens, access tokens as JWTs for one API. Its own development pages ask for the sign-in.
//
//     node provider.mjs ID_TOKEN_ALG API [WORD…]      first line on stdout: the issuer
//
// The words: `par` takes pushed authorization requests only; `bound` takes proofs of possession with
// its nonces only; `registration` registers clients, and `leave` does so for those who have leave.
//
// Three services prove themselves, each in its own way. The key of the one that signs is written to
// `service.pem` beside this script.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { errors, Provider } from 'oidc-provider';

const [idTokenAlg, api, ...words] = process.argv.slice(2);
const KEYS = {
  EdDSA: ['ed25519', {}],
  ES256: ['ec', { namedCurve: 'P-256' }],
  RS256: ['rsa', { modulusLength: 2048 }],
};

// A secret may have what can be typed on any keyboard (RFC 6749 Appendix A.2), and no more.
const ODD = ':%+ &=~"';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'desktop-broker',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/callback'],
    id_token_signed_response_alg: idTokenAlg,
    dpop_bound_access_tokens: words.includes('bound'),
  }, ...services()],
  cookies: { keys: ['only for this process'] },
  jwks: { keys: Object.keys(KEYS).map(signingKey) },
  enabledJWA: { idTokenSigningAlgValues: Object.keys(KEYS) },
  scopes: ['openid', 'profile', 'email', 'offline_access', 'messages.read'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  findAccount: (_ctx, login) => ({ accountId: login, claims: () => claimsOf(login) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 300, IdToken: 300, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600 },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    registration: {
      enabled: words.includes('registration') || words.includes('leave'),
      initialAccessToken: words.includes('leave') ? 'leave-to-register' : false,
    },
    devInteractions: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    rpInitiatedLogout: { enabled: true },
    pushedAuthorizationRequests: {
      enabled: true,
      requirePushedAuthorizationRequests: words.includes('par'),
    },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => words.includes('bound') },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => false,
      getResourceServerInfo: (_ctx, resource) => {
        if (resource !== api) throw new errors.InvalidTarget();
        return { scope: 'messages.read', audience: api, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } };
      },
    },
  },
});

for (const failed of ['server_error', 'grant.error', 'authorization.error', 'revocation.error', 'end_session.error']) {
  provider.on(failed, (_ctx, error) => console.error(failed, error.message, error.error_detail ?? ''));
}
server.on('request', provider.callback());
console.log(issuer);

function signingKey(alg) {
  const { privateKey } = generateKeyPairSync(...KEYS[alg]);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: `test-${alg}` };
}

function services() {
  const { publicKey, privateKey } = generateKeyPairSync(...KEYS.ES256);
  writeFileSync(new URL('service.pem', import.meta.url), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const proofs = {
    client_secret_basic: { client_secret: ODD },
    client_secret_post: { client_secret: ODD },
    private_key_jwt: { jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] } },
  };
  return Object.entries(proofs).map(([method, proof]) => ({
    client_id: `service:${method}`,
    token_endpoint_auth_method: method,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    ...proof,
  }));
}

function claimsOf(login) {
  const email = `${login}@example.com`;
  return { sub: login, name: `${login} Example`, preferred_username: login, email, email_verified: true };
}
