import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMovieLensSmall } from '../data.ts';
import type { Client } from '../support/client.ts';
import { batchesOf } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Settings of `mf` on MovieLens: one that hardly learns finds better ones by itself, of another shape, which Fuse goes on with. */

const data = readMovieLensSmall();
const HARDLY = {
  k: 4,
  eta: 0.0001,
  base: 'biases',
  bias: { userFloor: 0.0001, itemFloor: 0.0001 },
  replay: { count: 0 },
};
const config = {
  models: [
    ...TEST_CONFIG.models,
    { name: 'mf', plugin: 'mf', config: HARDLY },
    { name: 'twin', plugin: 'mf', config: HARDLY },
    {
      name: 'stack',
      plugin: 'stack',
      config: { rating: { inputs: ['mf', 'mean'] }, ranking: { inputs: [{ model: 'mf' }] } },
    },
  ],
  rating: { min: 0.5, max: 5 },
  evaluation: { rankEvery: 50, window: 500 },
  memory: { budgetMiB: 1024 },
};

test('settings of another shape are found, promoted, fused with, and taken back', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learn(client, 0, 20_000);
  const space = { base: ['bayes'], k: [4, 8, 16], eta: { min: 0.01, max: 0.4, log: true }, 'replay.count': [0, 2, 4] };
  const { result } = await client.tune({ name: 'mf', space, candidates: 12, windowEvents: 20_000 });
  assert.equal(result.promoted, true, result.decision?.reason);
  const [best] = result.candidates;
  assert.notEqual(best.config?.k, undefined);
  await learn(client, 20_000, 21_000);
  const fused = (await client.fuse({ model: 'mf', guard: { margin: 1 } })).result;
  assert.deepEqual([fused.promoted, fused.version], [true, '3'], fused.decision?.reason);
  assert.deepEqual((await client.getModel('mf')).model?.config, best.config);
  await learn(client, 21_000, 22_000);
  const after = await statesOf(client);
  await server.kill();
  await server.start();
  assert.deepEqual(await statesOf(server.client), after, 'after a kill');
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  assert.deepEqual(await statesOf(server.client), after, 'after a kill, without checkpoints');
  await server.client.rollbackModel('mf', '1');
  const back = await statesOf(server.client);
  assert.equal(back.mf.tables, back.twin.tables);
  assert.equal(back.mf.configHash, back.twin.configHash);
});

async function learn(client: Client, from: number, to: number): Promise<void> {
  for (const batch of batchesOf(data, from, to, 200)) await client.rate(batch);
}

async function statesOf(client: Client) {
  const [mf, twin, stack] = await Promise.all(['mf', 'twin', 'stack'].map((name) => stateOf(client, name)));
  return { mf, twin, stack };
}

async function stateOf(client: Client, name: string) {
  const { hashes, model } = await client.getModel(name);
  return { tables: hashes?.tables, version: model?.version, configHash: model?.configHash };
}
