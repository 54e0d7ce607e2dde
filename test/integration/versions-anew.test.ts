import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { leftOut } from '../support/long.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** A first version that was rolled back to, and whose file is damaged: the journal has all that it learned. */

const shifty = { name: 'shifty', plugin: pluginPath('refitting'), config: { gain: 0.001 } };
const top = { name: 'top', plugin: pluginPath('blending'), config: { inputs: ['mean', 'shifty'] } };

test('it is learned anew, to the byte, and so is what has it as an input', { skip: leftOut }, async (t) => {
  const models = [TEST_CONFIG.models[0], shifty, top];
  const server = await TestServer.start(t, { models });
  for (let from = 0; from < 1200; from += 100) await server.client.rate(manyRatings(100, { from }));
  await server.client.fuse({ model: 'shifty', guard: { margin: 1 } });
  await server.client.rate(manyRatings(100, { from: 1200 }));
  await server.client.rollbackModel('shifty');
  await server.client.rate(manyRatings(100, { from: 1300 }));
  const hashesOf = () => Promise.all(models.map(async ({ name }) => (await server.client.getModel(name)).hash));
  const before = await hashesOf();
  await server.stop();
  removeCheckpoints(server.data);
  const folder = join(server.data, 'state', 'versions', 'shifty@1');
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'nothing');
  await server.restart();
  assert.deepEqual(await hashesOf(), before);
  assert.equal((await server.client.getModel('shifty')).model?.version, '1');
  await server.client.rollbackModel('shifty', '2');
});
