import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import type { Method } from '../support/client.ts';
import { findGrpcurl } from '../support/go-tools.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { ROOT } from '../support/server-process.ts';
import { errorOf } from '../support/status.ts';

/** Tools that know nothing of the contract learn it from the server: grpcurl (v1 or v1alpha) and buf curl (v1). */

const run = promisify(execFile);
const SERVICES = ['Catalog', 'Experiment', 'Import', 'Model', 'Recommender', 'User'].map(
  (name) => `accrete.v1.${name}Service`,
);
const RATE = 'accrete.v1.RecommenderService/Rate';
const RECOMMEND = 'accrete.v1.RecommenderService/Recommend';

const server = await TestServer.start({ after });
await server.client.rate([rating('bob', 'alien', 5), rating('bob', 'matrix', 4)]);
const ratingsOf = (user: string) =>
  JSON.stringify({
    ratings: [{ userId: user, itemId: 'alien', value: 2, eventTime: '2026-01-02T03:04:05.5Z' }],
    returnPredictions: ['mean'],
  });

const { path: grpcurlPath, skip } = findGrpcurl();
if (skip) console.log(`skipped: ${skip}`);
const grpcurl = async (...args: string[]) => (await run(grpcurlPath, ['-plaintext', ...args])).stdout;

test('grpcurl lists the services', { skip }, async () => {
  const listed = (await grpcurl(server.address, 'list')).trim().split('\n');
  for (const service of [...SERVICES, 'grpc.health.v1.Health'])
    assert(listed.includes(service), `${service}: ${listed}`);
});

test('grpcurl describes every service, and the messages behind it', { skip }, async () => {
  for (const service of SERVICES) assert.match(await grpcurl(server.address, 'describe', service), /rpc \w+/);
  const described = await grpcurl(server.address, 'describe', '.accrete.v1.Rating');
  assert.match(described, /optional double value = 3;/);
  assert.match(described, /\.google\.protobuf\.Timestamp event_time = 4;/);
  assert.match(
    await grpcurl(server.address, 'describe', '.accrete.v1.RateStreamResponse'),
    /\.google\.rpc\.Status error = 5;/,
  );
});

test('grpcurl rates and recommends, and shows the details of an error', { skip }, async () => {
  const rated = JSON.parse(await grpcurl('-d', ratingsOf('curl'), server.address, RATE));
  assert.deepEqual([rated.acceptedCount, rated.predictions], [1, [{ model: 'mean', values: [3] }]]);
  const query = JSON.stringify({ userId: 'curl', minRevision: rated.revision });
  const answer = JSON.parse(await grpcurl('-d', query, server.address, RECOMMEND));
  assert.deepEqual(
    answer.items.map(({ itemId }: { itemId: string }) => itemId),
    ['matrix'],
  );
  const refused = await grpcurl('-d', '{}', server.address, RATE).catch(({ stderr }: { stderr: string }) => stderr);
  assert.match(refused, /InvalidArgument/);
  assert.match(refused, /google\.rpc\.ErrorInfo/);
  assert.match(refused, /INVALID_FIELD/);
  assert.match(refused, /google\.rpc\.BadRequest/);
});

const buf = async (...args: string[]) =>
  (await run(join(ROOT, 'node_modules/.bin/buf'), ['curl', '--http2-prior-knowledge', '--protocol', 'grpc', ...args]))
    .stdout;

test('buf curl lists the services and their methods', async () => {
  const listed = (await buf('--list-services', `http://${server.address}`)).trim().split('\n');
  for (const service of SERVICES) assert(listed.includes(service), `${service}: ${listed}`);
  assert.match(await buf('--list-methods', `http://${server.address}`), /accrete\.v1\.RecommenderService\/Rate\b/);
});

test('buf curl rates and recommends', async () => {
  const call = async (method: string, data: string) =>
    JSON.parse(await buf('--data', data, `http://${server.address}/${method}`));
  const rated = await call(RATE, ratingsOf('buf'));
  assert.deepEqual([rated.acceptedCount, rated.predictions], [1, [{ model: 'mean', values: [3] }]]);
  const answer = await call(RECOMMEND, JSON.stringify({ userId: 'buf', minRevision: rated.revision }));
  assert.deepEqual(
    answer.items.map(({ itemId }: { itemId: string }) => itemId),
    ['matrix'],
  );
});

test('reflection answers in both versions, and can be switched off', async (t) => {
  const closed = await TestServer.start(t, { reflection: false });
  // list_services, field 7, is ""
  const listServices = Buffer.from([0x3a, 0x00]);
  for (const version of ['v1', 'v1alpha']) {
    const method = bytesOf(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);
    const [open, shut] = [server, closed].map(({ client }) => client.open(method));
    open.send(listServices);
    assert.match(String(await open.next()), /accrete\.v1\.RecommenderService/);
    open.call.cancel();
    shut.send(listServices);
    assert.equal((await errorOf(shut.next())).code, status.UNIMPLEMENTED);
  }
});

function bytesOf(path: string): Method<Buffer, Buffer> {
  return { path, requestSerialize: (bytes) => bytes, responseDeserialize: (bytes) => bytes };
}
