import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import type { Client } from '../support/client.ts';
import { limitFiles, skip } from '../support/full-disk.ts';
import { createIsolated } from '../support/isolated.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';

/** What cannot be made durable is refused and not in effect, of every sort; afterwards it can be done. */

const SERVING = 1;
const NAMES = ['mean', 'popularity'];
const spare = { name: 'spare', plugin: pluginPath('mean') };
const config = { models: [...TEST_CONFIG.models, spare], metrics: { listen: '127.0.0.1:0' } };
const server = skip ? undefined : await ServerProcess.start({ after }, config);

const CHANGES: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  unload: (client) => client.unloadModel('spare'),
  load: (client) => client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial({ ...spare, name: 'new' })),
  items: (client) =>
    client.upsertItems([
      { itemId: 'matrix', title: 'told' },
      { itemId: 'new', labels: ['x'] },
    ]),
  users: (client) => client.upsertUsers([{ userId: 'new' }]),
  deletion: (client) => client.deleteItems(['alien']),
  scenario: (client) => client.putScenario({ name: 'new', model: 'popularity' }),
  'gone scenario': (client) => client.deleteScenario('home'),
  default: (client) => client.setDefaultModel('popularity'),
};

test('what makes no record goes on, and a model that could not join leaves its memory', { skip }, async () => {
  assert(server);
  const { client } = server;
  await client.rate([rating('ann', 'matrix', 3)]);
  limitFiles(server, 0);
  assert.equal((await failureOf(CHANGES.users(client))).reason, 'DISK_FULL');
  const used: number[] = [];
  for (let n = 0; n < 4; n++) {
    assert.equal((await failureOf(CHANGES.load(client))).reason, 'DISK_FULL');
    used.push(await usedBytes(server));
  }
  // What is free again is used again; it does not count as free.
  assert.deepEqual(used.slice(1), [used[1], used[1], used[1]], String(used));
  const before = await usedBytes(server);
  for (let n = 0; n < 2; n++) {
    const arms = [
      ['a', 'mean'],
      ['b', 'popularity'],
    ] as const;
    assert.equal((await failureOf(createIsolated(client, arms))).reason, 'DISK_FULL');
    assert.equal(await usedBytes(server), before);
  }
  assert.equal((await client.upsertItems([{ itemId: 'new' }], { validateOnly: true })).createdCount, 1);
  assert.equal((await failureOf(client.setDefaultModel('nowhere'))).reason, 'MODEL_NOT_FOUND');
  limitFiles(server, 'unlimited');
  await writable(client);
});

test('a full disk refuses every change, and none is in effect', { skip }, async () => {
  assert(server);
  const { client } = server;
  await client.rate([rating('ann', 'matrix', 3), rating('ann', 'alien', 4), rating('bob', 'alien', 5)]);
  await client.upsertItems([{ itemId: 'matrix', title: 'before' }]);
  await client.putScenario({ name: 'home' });
  const before = await stateOf(client);

  // The first of them fails at the disk, each time another one; the others are refused since it failed.
  for (const first of ['unload', 'load']) {
    limitFiles(server, 0);
    for (const name of [first, ...Object.keys(CHANGES)]) {
      const { code, reason } = await failureOf(CHANGES[name](client));
      assert.deepEqual([code, reason], ['RESOURCE_EXHAUSTED', 'DISK_FULL'], name);
    }
    assert.deepEqual(await stateOf(client), before);
    limitFiles(server, 'unlimited');
    await writable(client);
    assert.deepEqual(await stateOf(client), before);
  }

  for (const change of Object.values(CHANGES)) await change(client);
  const after = await stateOf(client);
  assert.deepEqual(
    [after.names, after.scenarios, after.items],
    [['mean', 'new', 'popularity'], ['new'], ['matrix', 'new']],
  );
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), after);
});

async function usedBytes(server: ServerProcess): Promise<number> {
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  return samples.find(({ name, labels }) => name === 'accrete_memory_bytes' && labels.state === 'used')?.value ?? 0;
}

async function stateOf(client: Client) {
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 0, pageToken: '' });
  return {
    names: models.filter(({ state }) => state === 3).map(({ name }) => name),
    default: models.find(({ isDefault }) => isDefault)?.name,
    hashes: await Promise.all(NAMES.map(async (name) => (await client.getModel(name)).hashes)),
    scenarios: (await client.listScenarios()).scenarios.map(({ name }) => name),
    items: (await client.listItems()).items.map(({ itemId }) => itemId),
    list: (await client.recommend('ann', { includeSeen: true })).items.map(({ itemId }) => itemId),
  };
}

async function writable(client: Client): Promise<void> {
  while ((await client.call(HealthService.check, { service: 'accrete.write' })).status !== SERVING) await sleep(20);
}
