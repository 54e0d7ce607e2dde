import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ModelState } from '../../proto/gen/accrete/v1/model.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Files of versions that cannot be read: the model says what to do, and the others go on. */

const shifty = { name: 'shifty', plugin: pluginPath('refitting'), config: { gain: 0.001 } };

async function begin(t: Parameters<typeof TestServer.start>[0]) {
  const server = await TestServer.start(t, { models: [...TEST_CONFIG.models, shifty] });
  for (let from = 0; from < 1500; from += 100) await server.client.rate(manyRatings(100, { from }));
  await server.client.fuse({ model: 'shifty', guard: { margin: 1 } });
  await server.client.rate(manyRatings(100, { from: 1500 }));
  return server;
}

async function endsWith(server: TestServer, reason: RegExp): Promise<void> {
  const { client } = server;
  const { model } = await client.getModel('shifty');
  assert.equal(model?.state, ModelState.MODEL_STATE_END);
  assert.match(model.stateReason, reason);
  assert.match(
    model.stateReason,
    /restore its file from a backup and start again, or unload the model and load it again, and train it anew with Fuse/,
  );
  assert.equal((await failureOf(client.recommend('u1', { model: 'shifty' }))).reason, 'MODEL_FAILED');
  assert.equal((await failureOf(client.fuse({ model: 'shifty' }))).reason, 'MODEL_FAILED');
  assert.equal((await client.recommend('u1')).model, 'mean');
  await client.unloadModel('shifty');
  assert.equal((await failureOf(client.getModel('shifty'))).reason, 'MODEL_NOT_FOUND');
}

test('a damaged file, without a checkpoint that has the version', async (t) => {
  const server = await begin(t);
  await server.stop();
  removeCheckpoints(server.data);
  const folder = join(server.data, 'state', 'versions', 'shifty@2');
  const [name] = readdirSync(folder).filter((each) => !each.includes('lock'));
  const bytes = readFileSync(join(folder, name));
  bytes.fill(0xff, Math.floor(bytes.length / 4));
  writeFileSync(join(folder, name), bytes);
  await server.restart();
  await endsWith(server, /^Version 2 cannot be brought back: /);
});

test('a file of another state version of the plugin', async (t) => {
  const server = await begin(t);
  t.after(() => delete process.env.TEST_STATE_VERSION);
  process.env.TEST_STATE_VERSION = '2';
  await server.restart();
  await endsWith(server, /state version 1 of its plugin, and the plugin has 2 by now/);
});

test('a file of tables of another shape', async (t) => {
  const server = await begin(t);
  t.after(() => delete process.env.TEST_SHIFT_WIDTH);
  process.env.TEST_SHIFT_WIDTH = '2';
  await server.restart();
  await endsWith(server, /^Version 2 cannot be brought back: its file has other tables than its plugin declares/);
});

test('a damaged file of a version that does not serve is learned again, where that can be', async (t) => {
  const server = await begin(t);
  const folder = join(server.data, 'state', 'versions', 'shifty@1');
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'nothing');
  const never = await TestServer.start(t, { models: [...TEST_CONFIG.models, shifty] });
  for (let from = 0; from < 1600; from += 100) await never.client.rate(manyRatings(100, { from }));
  await server.client.rollbackModel('shifty');
  const [one, other] = await Promise.all([server, never].map(({ client }) => client.getModel('shifty')));
  assert.equal(one.hashes?.tables, other.hashes?.tables);
});
