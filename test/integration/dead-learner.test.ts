import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { errorOf, failureOf, readFailure } from '../support/status.ts';

/** When the learner dies nobody waits for it in vain; the process ends, and an embedding program is told. */

const SERVING = 1;
const NOT_SERVING = 2;
const models = [...TEST_CONFIG.models, { name: 'fatal', plugin: pluginPath('fatal') }];
const fatal = [rating('ann', 'matrix', 4, { weight: 10 })];

test('an embedded server refuses ratings, says so to health and probes, and can be stopped', async (t) => {
  const server = await TestServer.start(t, { models, metrics: { listen: '127.0.0.1:0' } });
  const { client } = server;
  await client.rate([rating('bob', 'matrix', 4), rating('bob', 'alien', 3)]);
  const stream = client.rateStream();
  stream.send(RateStreamRequest.fromPartial({ ratings: [rating('bob', 'brazil', 3)] }));
  await stream.next();
  assert.equal((await failureOf(client.rate(fatal))).reason, 'INTERNAL');
  assert.equal((await failureOf(client.rate([rating('ann', 'alien', 4)]))).reason, 'INTERNAL');
  stream.send(RateStreamRequest.fromPartial({ ratings: [rating('bob', 'casino', 3)] }));
  assert.equal(readFailure(await errorOf(stream.next())).reason, 'INTERNAL');

  assert.equal((await server.failed).reason, 'INTERNAL');
  assert.equal((await client.call(HealthService.check, { service: '' })).status, NOT_SERVING);
  assert.equal((await fetch(server.url('/readyz'))).status, 503);
  const began = Date.now();
  await server.stop();
  assert(Date.now() - began < 5000);
});

test('a namespace that fails takes its own calls alone with it, and not the readiness of the server', async (t) => {
  const file = new ClientsFile(t, [
    { name: 'main', role: 'write', token: 'token-main' },
    { name: 'shop', role: 'write', token: 'token-shop', namespace: 'shop' },
  ]);
  const server = await TestServer.start(t, {
    models,
    namespaces: { shop: {} },
    auth: { clients: file.path },
    metrics: { listen: '127.0.0.1:0' },
  });
  const [main, shop] = ['main', 'shop'].map((name) => server.connect({ token: `token-${name}` }));
  assert.equal((await failureOf(shop.rate(fatal))).reason, 'INTERNAL');
  assert.equal((await failureOf(shop.rate([rating('ann', 'alien', 4)]))).reason, 'INTERNAL');
  assert.equal((await main.rate([rating('ann', 'alien', 4)])).acceptedCount, 1);
  assert.equal((await main.call(HealthService.check, { service: '' })).status, SERVING);
  assert.equal((await fetch(server.url('/readyz'))).status, 200);
});

test('a server of its own ends with 1', async (t) => {
  const server = await ServerProcess.start(t, { models });
  await errorOf(server.client.rate(fatal));
  assert.deepEqual(await server.exited, { code: 1, signal: null });
  assert.match(server.stderr, /the learner thread ended/);
});
