import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { ConfigInput } from '../../server/config/schema.ts';
import { certificatePath, clientCredentials, SERVER_TLS } from '../support/certificates.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { errorOf, failureOf, readFailure } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** Certificates of clients, JSON Web Tokens, limits, and what changes of all that without a restart. */

const folder = makeFolder({ after });
const copy = (name: string, to: string) => {
  const path = join(folder, to);
  copyFileSync(certificatePath(name), path);
  return path;
};
const tls = {
  certificate: copy('server.crt', 'tls.crt'),
  key: copy('server.key', 'tls.key'),
  clientCa: certificatePath('authority.crt'),
};
const SHOP = { name: 'shop', role: 'write', certificates: ['uri:spiffe://tests/shop'] } as const;
const KEEPER = { name: 'keeper', role: 'admin', token: 'token-of-keeper' } as const;
const SLOW = { name: 'slow', role: 'write', token: 'token-of-slow', limits: { callsPerSecond: 3 } } as const;
const SMALL = {
  name: 'small',
  role: 'write',
  token: 'token-of-small',
  limits: { messageBytes: 60, concurrentCalls: 1 },
} as const;
const file = new ClientsFile({ after }, [SHOP, KEEPER, SLOW, SMALL]);
const keys = await generateKeyPair('ES256');
const jwks = join(folder, 'jwks.json');
writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'first', alg: 'ES256' }] }));
const auth = { clients: file.path, jwks, issuer: 'https://issuer.example', audience: 'accrete', checkSeconds: 1 };
const config = { tls: { ...tls, clientCertificates: 'optional' }, auth } as const satisfies ConfigInput;
const server = await TestServer.start({ after }, config);
const by = (token?: string, certificate?: string) =>
  server.connect({ channel: clientCredentials(certificate), ...(token !== undefined && { token }) });
const reasonOf = async (call: Promise<unknown>) => (await failureOf(call)).reason;

test('a certificate is as good as a token, if its authority is trusted, it lasts, and the file has its name', async () => {
  const shop = by(undefined, 'client');
  assert.equal((await shop.rate([rating('ann', 'alien', 5)])).acceptedCount, 1);
  assert.equal(await reasonOf(shop.rollbackModel('mean')), 'ROLE_MISSING');
  assert.equal(await reasonOf(by(undefined, 'unlisted').recommend('ann')), 'CREDENTIALS_INVALID');
  for (const certificate of [undefined, 'expired', 'foreign'])
    assert.equal(await reasonOf(by(undefined, certificate).recommend('ann')), 'CREDENTIALS_MISSING', certificate);
  assert.equal((await by('token-of-keeper', 'foreign').recommend('ann')).items.length, 0);
});

test('a JSON Web Token is taken from its issuer alone, for this server, while it lasts, and for what its scope says', async () => {
  const sign = (claims: JWTPayload = {}, { alg = 'ES256', key = keys.privateKey, ends = '1m' } = {}) =>
    new SignJWT({ scope: 'openid accrete:write', ...claims })
      .setProtectedHeader({ alg, kid: 'first' })
      .setSubject('api')
      .setIssuer(String(claims.iss ?? auth.issuer))
      .setAudience(String(claims.aud ?? auth.audience))
      .setExpirationTime(ends)
      .sign(key);
  const good = by(await sign());
  for (let n = 0; n < 2; n++) assert.equal((await good.rate([rating('ann', 'alien', 5)])).acceptedCount, 1);
  assert.equal(await reasonOf(good.rollbackModel('mean')), 'ROLE_MISSING');
  const other = await generateKeyPair('ES256');
  const unsigned = [
    { alg: 'none' },
    { sub: 'api', iss: auth.issuer, aud: auth.audience, exp: 2e9, scope: 'accrete:admin' },
    '',
  ].map((part) => (part === '' ? '' : Buffer.from(JSON.stringify(part)).toString('base64url')));
  const bad = {
    'another issuer': await sign({ iss: 'https://elsewhere.example' }),
    'another audience': await sign({ aud: 'others' }),
    'another key': await sign({}, { key: other.privateKey }),
    'no scope of ours': await sign({ scope: 'openid' }),
    'a namespace that is not there': await sign({ accrete_namespace: 'nowhere' }),
    'no signature': unsigned.join('.'),
    'no signature, in three parts': `${unsigned[0]}.${unsigned[1]}.e30`,
  };
  for (const [what, token] of Object.entries(bad))
    assert.equal(await reasonOf(by(token).recommend('ann')), 'CREDENTIALS_INVALID', what);
  assert.equal(await reasonOf(by(await sign({}, { ends: '-1h' })).recommend('ann')), 'CREDENTIALS_EXPIRED');
});

test('a client may ask so often, so much and so many at once; streams wait instead', async () => {
  const slow = by('token-of-slow');
  const began = performance.now();
  const asked = await Promise.allSettled(Array.from({ length: 6 }, () => slow.recommend('ann')));
  const [refused, ...others] = asked.flatMap((each) => (each.status === 'rejected' ? [readFailure(each.reason)] : []));
  assert.deepEqual([refused.code, refused.reason, others.length], ['RESOURCE_EXHAUSTED', 'RATE_EXCEEDED', 2]);
  assert(refused.retryMs && refused.retryMs <= 400, `${refused.retryMs}`);
  await sleep(refused.retryMs);
  const stream = slow.rateStream();
  for (let n = 0; n < 3; n++)
    stream.send({
      requestId: '',
      ratings: [rating('bob', `item-${n}`, 4)],
      validateOnly: false,
      returnPredictions: [],
    });
  for (let n = 0; n < 3; n++) assert.equal((await stream.next())?.acceptedCount, 1);
  assert(
    performance.now() - began > 990,
    'the three that came after three at once had to wait for a third of a second each',
  );
  stream.call.cancel();

  const small = by('token-of-small');
  await small.rate([rating('ann', 'a', 5)]);
  assert.equal(await reasonOf(small.rate([rating('a'.repeat(60), 'b', 5)])), 'MESSAGE_TOO_LARGE');
  const held = small.rateStream();
  held.send({ requestId: '', ratings: [rating('bob', 'a', 4)], validateOnly: false, returnPredictions: [] });
  await held.next();
  assert.equal(await reasonOf(small.recommend('ann')), 'RATE_EXCEEDED');
  held.call.cancel();
  // As soon as the server knows of it.
  const again = () =>
    small.recommend('ann').then(
      () => 'OK',
      (error) => readFailure(error).reason,
    );
  let answer = await again();
  while (answer === 'RATE_EXCEEDED') answer = await again();
  assert.equal(answer, 'OK');
});

test('clients and certificates that are changed count without a restart, for streams that are open too', async () => {
  const keeper = by('token-of-keeper');
  const stream = by('token-of-small').rateStream();
  const send = () =>
    stream.send({ requestId: '', ratings: [rating('bob', 'a', 4)], validateOnly: false, returnPredictions: [] });
  send();
  assert.equal((await stream.next())?.acceptedCount, 1);
  file.write([SHOP, { ...KEEPER, token: 'another-token' }]);
  copy('renewed.crt', 'tls.crt');
  copy('renewed.key', 'tls.key');
  server.reload();
  assert.equal(await reasonOf(keeper.recommend('ann')), 'CREDENTIALS_INVALID');
  assert.equal((await by('another-token').recommend('zoe')).items.length > 0, true);
  send();
  assert.equal(readFailure(await errorOf(stream.next())).reason, 'CREDENTIALS_INVALID');
  assert.equal(await subjectOf(server.address), 'renewed');

  // What cannot be used changes nothing.
  copy('server.key', 'tls.key');
  assert.throws(() => server.reload(), /tls\.key: .* it is not the key of/);
  copy('renewed.key', 'tls.key');
  const good = readFileSync(jwks);
  writeFileSync(jwks, '{"keys": ["my-secret-key"]}');
  assert.throws(
    () => server.reload(),
    ({ message }: Error) => /auth\.jwks: .*it has no `keys`/.test(message) && !message.includes('my-secret'),
  );
  writeFileSync(jwks, good);
  writeFileSync(file.path, 'clients: [{name: a, role: admin, tokens: [my-secret-token]}]');
  assert.throws(
    () => server.reload(),
    ({ message }: Error) => /clients\[0\]\.tokens\[0\]/.test(message) && !message.includes('my-secret'),
  );
  assert.equal(await subjectOf(server.address), 'renewed');
  assert.equal((await by('another-token').recommend('zoe')).items.length > 0, true);

  // It looks by itself too.
  copy('server.crt', 'tls.crt');
  copy('server.key', 'tls.key');
  file.write([SHOP, KEEPER]);
  while ((await subjectOf(server.address)) !== 'localhost') await sleep(50);
  assert.equal((await keeper.recommend('zoe')).items.length > 0, true);
});

test('what is told of an error can be kept to its reason', async () => {
  const keeper = by('token-of-keeper');
  server.reload({ errorDetail: 'reason' });
  const unary = await failureOf(keeper.recommend('ann', { model: 'a-secret' }));
  assert.deepEqual([unary.reason, unary.message.includes('a-secret'), unary.metadata], ['MODEL_NOT_FOUND', false, {}]);
  const stream = keeper.rateStream();
  stream.send({ requestId: '', ratings: [rating('ann', 'alien', 99)], validateOnly: false, returnPredictions: [] });
  const { error } = (await stream.next()) ?? {};
  assert.match(error?.message ?? '', /^INVALID_FIELD: this server tells no more/);
  stream.call.cancel();
  server.reload({ errorDetail: 'full' });
  assert.match((await failureOf(keeper.recommend('ann', { model: 'a-secret' }))).message, /a-secret/);
});

test('a client without a certificate does not get through where one is required', { skip: leftOut }, async (t) => {
  const strict = await TestServer.start(t, {
    tls: { ...SERVER_TLS, clientCa: tls.clientCa },
    auth: { clients: file.path },
  });
  const shop = strict.connect({ channel: clientCredentials('client') });
  assert.equal((await shop.rate([rating('ann', 'alien', 5)])).acceptedCount, 1);
  for (const certificate of [undefined, 'expired', 'foreign']) {
    const other = strict.connect({ channel: clientCredentials(certificate), token: 'token-of-keeper' });
    assert.match((await errorOf(other.recommend('ann'))).message, /UNAVAILABLE/, certificate);
  }
});

/** The subject of the certificate that a server shows now. */
function subjectOf(address: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
