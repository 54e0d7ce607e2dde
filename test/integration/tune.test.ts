import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../support/client.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** TuneModel on a real server: a planted space, in which some settings are clearly the best. */

/** What it expects is the mean of a user's ratings and `start`: 0 is best. */
const shifted = (start: number) => ({ name: 'shifted', plugin: pluginPath('refitting'), config: { start } });
const config = { models: [...TEST_CONFIG.models, shifted(0.8)] };
const SPACE = { start: [-1, -0.5, 0, 0.5, 1] };

test('the best settings are promoted, survive a kill, and are rolled back to what had never been changed', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learn(client, 0, 4000);
  const { result, standings, progress } = await client.tune({ name: 'shifted', space: SPACE });
  assert.equal(result.promoted, true, result.decision?.reason);
  assert.deepEqual([result.version, result.previousVersion, result.resumedReplays], ['2', '1', 0]);
  assert.deepEqual(
    result.candidates.map(({ config, isLive, failure }) => [config?.start, isLive, failure]).slice(0, 2),
    [
      [0, false, ''],
      [0.8, true, ''],
    ],
  );
  assert.equal(result.candidates.length, 6);
  assert(progress.length > 0);
  assert(standings.some(({ rung, rungs, best }) => rung === rungs && best?.config?.start === 0));
  const tuned = await stateOf(client);
  assert.deepEqual([tuned.version, tuned.start], ['2', 0]);
  await learn(client, 4000, 4200);
  const after = await stateOf(client);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), after, 'after a kill');
  // Without the checkpoint the whole journal is learned.
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  assert.deepEqual(await stateOf(server.client), after, 'after a kill, without checkpoints');

  await server.client.rollbackModel('shifted');
  const back = await stateOf(server.client);
  assert.deepEqual([back.version, back.start], ['1', 0.8]);
  const never = await ServerProcess.start(t, config);
  await learn(never.client, 0, 4200);
  assert.equal(back.tables, (await stateOf(never.client)).tables);
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  assert.deepEqual(await stateOf(server.client), back, 'rolled back, after a kill');
});

async function learn(client: Client, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 100) await client.rate(manyRatings(100, { from: n }));
}

async function stateOf(client: Client) {
  const { hash, hashes, model } = await client.getModel('shifted');
  const { version, revision, versions } = model ?? {};
  const settings = versions?.map((kept) => [kept.version, kept.configHash]);
  return { hash, tables: hashes?.tables, version, revision, start: model?.config?.start, settings };
}
