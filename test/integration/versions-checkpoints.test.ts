import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOf } from '../support/checkpoints.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

/** A version that a start brings back from its own file is in no checkpoint: the next one has to have all of it. */

const MODEL = 'shifty';
const shifty = { name: MODEL, plugin: pluginPath('refitting'), config: { gain: 0.001 } };
const config = { models: [...TEST_CONFIG.models, shifty], evaluation: { rankEvery: 10 } };

for (const count of [0, 500]) {
  test(`one rolled back to after a checkpoint that has the other, which had learned ${count} ratings by then`, {
    skip: leftOut,
  }, async (t) => {
    const server = await ServerProcess.start(t, config);
    await learn(server.client, 0, 1500);
    const { result } = await server.client.fuse({ model: MODEL, guard: { margin: 1, windowEvents: 1000 } });
    assert.equal(result.version, '2', result.decision?.reason);
    await learn(server.client, 1500, count);
    await server.client.createCheckpoint();
    const { model } = await server.client.rollbackModel(MODEL);
    assert.equal(model?.version, '1');
    const before = await stateOf(server.client, [MODEL]);
    const startAgain = async () => {
      await server.kill();
      await server.start();
    };
    await startAgain();
    assert.deepEqual(await stateOf(server.client, [MODEL]), before, 'from the file of the version');
    await server.client.createCheckpoint();
    await startAgain();
    assert.deepEqual(await stateOf(server.client, [MODEL]), before, 'from the checkpoint after that');
  });
}

async function learn(client: Client, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n += 50) await client.rate(manyRatings(50, { from: n }));
}
