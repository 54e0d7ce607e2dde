import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { createServer } from '../../server/server.ts';
import { clientCredentials, SERVER_TLS } from '../support/certificates.ts';
import { Client, type Method } from '../support/client.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { rating } from '../support/ratings.ts';
import { servicesOf } from '../support/reflection.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { errorOf, failureOf, readFailure } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** Who may call what: over TLS, by tokens of the file of the clients. */

const channel = clientCredentials();
const file = new ClientsFile({ after }, [
  { name: 'reader', role: 'read', token: 'token-of-reader' },
  { name: 'writer', role: 'write', token: 'token-of-writer' },
  { name: 'keeper', role: 'admin', token: 'token-of-keeper' },
  { name: 'former', role: 'admin', token: 'token-of-former', expires: '2020-01-01' },
]);
const server = await TestServer.start({ after }, { tls: SERVER_TLS, auth: { clients: file.path } });
const as = (token: string | undefined) => server.connect({ channel, ...(token !== undefined && { token }) });
const [reader, writer, keeper] = ['reader', 'writer', 'keeper'].map((name) => as(`token-of-${name}`));
const stranger = as(undefined);

test('roles may do what they are for, and what lesser ones may', async () => {
  await writer.rate([rating('ann', 'alien', 5)]);
  for (const client of [reader, writer, keeper]) assert.equal((await client.recommend('bob')).items.length, 1);
  const refused = await failureOf(reader.rate([rating('ann', 'alien', 1)]));
  assert.deepEqual([refused.code, refused.reason], ['PERMISSION_DENIED', 'ROLE_MISSING']);
  assert.match(refused.message, /Rate takes the role write, and reader has read/);
  assert.equal((await failureOf(writer.rollbackModel('mean'))).reason, 'ROLE_MISSING');
  assert.equal((await failureOf(keeper.rollbackModel('nothing'))).reason, 'MODEL_NOT_FOUND');
});

test('whoever shows nothing, or something that is not known, is refused', async () => {
  const cases = [
    [stranger, 'CREDENTIALS_MISSING'],
    [as('token-of-nobody'), 'CREDENTIALS_INVALID'],
    [as('a.b.c'), 'CREDENTIALS_INVALID'],
    [as('x'.repeat(9000)), 'CREDENTIALS_INVALID'],
    [as('token-of-former'), 'CREDENTIALS_EXPIRED'],
  ] as const;
  for (const [client, reason] of cases) {
    const { code, ...failure } = await failureOf(client.recommend('ann'));
    assert.deepEqual([code, failure.reason], ['UNAUTHENTICATED', reason]);
    assert(!failure.message.includes('token-of'), failure.message);
  }
  const stream = stranger.rateStream();
  assert.equal(readFailure(await errorOf(stream.next())).reason, 'CREDENTIALS_MISSING');
});

test('every method has a rule, and refuses whoever shows nothing', async () => {
  const services = await servicesOf(keeper);
  const methods = [...services].flatMap(([service, names]) => names.map((name) => `/${service}/${name}`));
  assert(methods.includes('/accrete.v1.RecommenderService/Rate') && methods.length >= 40, `${methods}`);
  const open: string[] = [];
  for (const path of methods) {
    if ((await codeOf(stranger.call(anything(path), Buffer.alloc(0)))) !== status.UNAUTHENTICATED) open.push(path);
    // Nobody may call a method without a rule, not even those who may do everything.
    const code = await codeOf(keeper.call(anything(path), NO_MESSAGE, { deadline: Date.now() + 300 }));
    assert.notEqual(code, status.PERMISSION_DENIED, `${path} has no rule: see Rules in server/rpc/service.ts`);
  }
  assert.deepEqual(open, ['/grpc.health.v1.Health/Check']);
});

test('without TLS nobody gets through to a server that has it', async (t) => {
  const plain = new Client(server.address, { channel: credentials.createInsecure(), token: 'token-of-keeper' });
  t.after(() => plain.close());
  assert.equal((await errorOf(plain.recommend('ann'))).code, status.UNAVAILABLE);
  const elsewhere = server.connect({ channel: clientCredentials(undefined, 'stranger'), token: 'token-of-keeper' });
  assert.equal((await errorOf(elsewhere.recommend('ann'))).code, status.UNAVAILABLE);
});

test('beyond loopback nothing starts without authentication, or with tokens in plain text', async () => {
  const config = { ...TEST_CONFIG, listen: '0.0.0.0:0' };
  assert.throws(() => createServer(config), /auth\.allowAnyone: true/);
  assert.throws(() => createServer({ ...config, listen: '[::]:0' }), /no authentication/);
  assert.throws(() => createServer({ ...config, listen: 'example.org:0' }), /no authentication/);
  assert.throws(() => createServer({ ...config, auth: { clients: file.path } }), /auth\.allowPlaintext: true/);
  createServer({ ...config, auth: { allowAnyone: true } });
  createServer({ ...config, auth: { clients: file.path, allowPlaintext: true } });
  createServer({ ...config, auth: { clients: file.path }, tls: SERVER_TLS });
  for (const listen of ['localhost:0', '127.8.8.8:0', '[::1]:0', '[0:0::1]:0', '[::ffff:127.0.0.1]:0', 'unix:/a/b'])
    createServer({ ...config, listen });
});

test('a Unix socket has the mode that is configured', async (t) => {
  const path = join(makeFolder(t), 's');
  const local = await TestServer.start(t, { listen: `unix:${path}`, socketMode: '0660' });
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.equal((await local.client.recommend('ann')).items.length, 0);
});

async function codeOf(call: Promise<unknown>): Promise<status> {
  return await call.then(
    () => status.OK,
    ({ code }: ServiceError) => code,
  );
}

/** Nothing is done for it. */
const NO_MESSAGE = Buffer.from([0xff]);

/** Any method, with a message that fits no better than any other. */
function anything(path: string): Method<Buffer, Buffer> {
  return { path, requestSerialize: (bytes) => bytes, responseDeserialize: (bytes) => bytes };
}
