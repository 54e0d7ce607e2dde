import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMovieLensSmall } from '../data.ts';
import type { Client } from '../support/client.ts';
import { batchesOf } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Fuse and RollbackModel on a real server: a new version takes the place of the one that serves, and goes back. */

const data = readMovieLensSmall();
const config = {
  models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 8, replay: { count: 1 } } }],
  rating: { min: 0.5, max: 5 },
  evaluation: { rankEvery: 50, window: 500 },
};

test('a refit is promoted, survives a kill, and is rolled back to what had never been changed', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learn(client, 0, 20_000);
  const before = await stateOf(client);
  const { result, progress } = await client.fuse({ model: 'mf', guard: { margin: 1 } });
  assert.ok(progress.length > 0);
  assert.equal(result.promoted, true, result.decision?.reason);
  assert.equal(result.version, '2');
  assert.equal(result.previousVersion, '1');
  const promoted = await stateOf(client);
  assert.notEqual(promoted.tables, before.tables);
  assert.equal(promoted.version, '2');
  await learn(client, 20_000, 21_000);
  const after = await stateOf(client);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), after, 'after a kill');
  // Without the checkpoint the whole journal is learned.
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  assert.deepEqual(await stateOf(server.client), after, 'after a kill, without checkpoints');

  const { previousVersion, model } = await server.client.rollbackModel('mf');
  assert.deepEqual([previousVersion, model?.version], ['2', '1']);
  const never = await TestServer.start(t, config);
  await learn(never.client, 0, 20_000);
  await learn(never.client, 20_000, 21_000);
  assert.equal((await stateOf(server.client)).tables, (await stateOf(never.client)).tables);
  const back = await stateOf(server.client);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), back, 'rolled back, after a kill');
});

async function learn(client: Client, from: number, to: number): Promise<void> {
  for (const batch of batchesOf(data, from, to, 200)) await client.rate(batch);
}

async function stateOf(client: Client) {
  const { hash, hashes, model } = await client.getModel('mf');
  return { hash, tables: hashes?.tables, version: model?.version, revision: model?.revision };
}
