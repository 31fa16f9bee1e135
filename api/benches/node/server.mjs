// The same two messages with the packages that tutorials use: express, express-jwt, jwks-rsa.
//
//     node server.mjs ISSUER AUDIENCE
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

// The packages are where they were installed, which is not here.
const require = createRequire(`${process.cwd()}/`);
const express = require('express');
const { expressjwt } = require('express-jwt');
const jwksRsa = require('jwks-rsa');

const [issuer, audience] = process.argv.slice(2);
const checkJwt = expressjwt({
  secret: jwksRsa.expressJwtSecret({
    cache: true,
    rateLimit: true,
    jwksRequestsPerMinute: 5,
    jwksUri: `${issuer}/jwks`,
  }),
  audience,
  issuer,
  algorithms: ['RS256'],
});

const app = express();
app.get('/public', (_, answer) => answer.send('Everyone in the world can read this message.'));
app.get('/private', checkJwt, (_, answer) =>
  answer.send('Only authenticated users can read this message.'));

const server = createServer(app);
server.listen(0, '127.0.0.1', () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}`));
