import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type LoadModelRequest,
  type LoadModelResponse,
  ModelServiceService,
} from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { rateMany } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Settings of models that have others as inputs, and of their inputs: everyone learns beside what served then. */

const plugin = pluginPath('blending');
const blend = (name: string) => ({ name, plugin, config: { inputs: ['off'] } });
const models = [
  ...TEST_CONFIG.models,
  { name: 'off', plugin: pluginPath('tunable'), config: { shift: 1 } },
  blend('tuned'),
  blend('twin'),
];

test('versions with other settings of a model and of its input: restarts, loads and rollbacks go through all of them', {
  skip: leftOut,
}, async (t) => {
  const server = await ServerProcess.start(t, { models });
  await rateMany(server.client, 0, 2400);
  const tuned = (await server.client.tune({ name: 'tuned', space: { shift: [-1, 0.5] } })).result;
  assert.deepEqual([tuned.promoted, tuned.candidates[0].config?.shift], [true, -1], tuned.decision?.reason);
  await rateMany(server.client, 2400, 2500);
  const input = (await server.client.tune({ name: 'off', space: { shift: [0, 0.5] } })).result;
  assert.deepEqual([input.promoted, input.candidates[0].config?.shift], [true, 0], input.decision?.reason);
  await rateMany(server.client, 2500, 2600);
  const before = await statesOf(server.client);
  assert.notEqual(before.off.all, before.tuned.all);
  await server.kill();
  await server.start();
  assert.deepEqual(await statesOf(server.client), before, 'after a kill');
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  assert.deepEqual(await statesOf(server.client), before, 'after a kill, without checkpoints');
  // What they sum up is what their input expected, whatever they make of it.
  assert.equal(before.tuned.sum, before.twin.sum);

  await load(server.client, 'late');
  assert.equal((await stateOf(server.client, 'late')).sum, before.twin.sum, 'loaded late');
  await server.client.rollbackModel('tuned');
  const back = await statesOf(server.client);
  assert.deepEqual(back.tuned, { ...back.twin, version: '1', shift: 0 });
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  assert.deepEqual(await statesOf(server.client), back, 'rolled back, after a kill');
});

async function load(client: Client, name: string): Promise<LoadModelResponse> {
  const request = { ...blend(name), learningScope: 0, validateOnly: false } as unknown as LoadModelRequest;
  return client.call(ModelServiceService.loadModel, request);
}

async function statesOf(client: Client) {
  const [off, tuned, twin] = await Promise.all(['off', 'tuned', 'twin'].map((name) => stateOf(client, name)));
  return { off, tuned, twin };
}

async function stateOf(client: Client, name: string) {
  const { hashes, model } = await client.getModel(name);
  const sum = model?.tables.find((table) => table.name === 'model')?.hash;
  const { version, config } = model ?? {};
  return { all: hashes?.tables, sum, version, shift: config?.shift };
}
