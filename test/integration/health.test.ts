import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type HealthCheckResponse, HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import type { Client } from '../support/client.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { errorOf, readFailure } from '../support/status.ts';

/** grpc.health.v1: the server, each service by its name, and whether ratings can be made durable. */

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;
const SERVICES = [
  'RecommenderService',
  'ModelService',
  'CatalogService',
  'ImportService',
  'UserService',
  'ExperimentService',
];
const NAMES = ['', 'accrete.write', ...SERVICES.map((name) => `accrete.v1.${name}`)];

const { client } = await TestServer.start({ after });
const check = async (of: Client, service: string) => (await of.call(HealthService.check, { service })).status;

/** The answers of a Watch, one by one. */
function watch(of: Client, service: string) {
  const stream = of.open<{ service: string }, HealthCheckResponse>(HealthService.watch);
  stream.send({ service });
  stream.call.end();
  return stream;
}

for (const name of NAMES) {
  test(`${name === '' ? 'the server' : name} is SERVING, by Check and by Watch`, async () => {
    assert.equal(await check(client, name), SERVING);
    const watched = watch(client, name);
    assert.equal((await watched.next())?.status, SERVING);
    watched.call.cancel();
  });
}

test('what nobody knows is NOT_FOUND by Check and SERVICE_UNKNOWN by Watch', async () => {
  for (const name of ['accrete.v1.Nothing', 'accrete', 'accrete.v1.recommenderservice']) {
    assert.equal((await errorOf(check(client, name))).code, status.NOT_FOUND);
    const watched = watch(client, name);
    assert.equal((await watched.next())?.status, SERVICE_UNKNOWN);
    watched.call.cancel();
  }
});

test('a watcher sees the start, the drain, and then the end', async (t) => {
  const gate = new Gate(t);
  gate.open();
  const server = await ServerProcess.start(t, { models: [...TEST_CONFIG.models, gate.model] });
  await server.client.rate([heldRating('ann', 'matrix')]);
  await server.kill();
  gate.shut();

  // The learner stands at the gate, in the midst of the journal.
  server.spawn();
  await server.listening();
  await gate.held();
  const watches = NAMES.map((name) => watch(server.client, name));
  const next = () => Promise.all(watches.map(async (each) => (await each.next())?.status));
  assert.deepEqual(await next(), Array(NAMES.length).fill(NOT_SERVING));
  gate.open();
  assert.deepEqual(await next(), Array(NAMES.length).fill(SERVING));
  assert.equal(await check(server.client, 'accrete.write'), SERVING);

  const began = Date.now();
  server.signal('SIGTERM');
  assert.deepEqual(await next(), Array(NAMES.length).fill(NOT_SERVING));
  for (const each of watches) assert.equal(readFailure(await errorOf(each.next())).reason, 'DRAINING');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  assert(Date.now() - began < 5000, 'watchers hold up the end');
});
