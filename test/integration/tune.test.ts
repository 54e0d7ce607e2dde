import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../support/client.ts';
import { startImported } from '../support/imported.ts';
import { leftOut } from '../support/long.ts';
import { rateMany } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** TuneModel on a real server: a planted space, in which some settings are clearly the best. */

/** What it expects is the mean of a user's ratings and `start`: 0 is best. */
const shifted = (name: string) => ({ name, plugin: pluginPath('refitting'), config: { start: 0.8 } });
const config = { models: [...TEST_CONFIG.models, shifted('shifted'), shifted('twin')] };
const SPACE = { start: [-1, -0.5, 0, 0.5, 1] };

test('the best settings are promoted, and are rolled back to what had never been changed', async (t) => {
  const server = await TestServer.start(t, config);
  const { client } = server;
  await rateMany(client, 0, 2000);
  const { result, standings, progress } = await client.tune({ name: 'shifted', space: SPACE });
  assert.equal(result.promoted, true, result.decision?.reason);
  assert.deepEqual([result.version, result.previousVersion, result.resumedReplays], ['2', '1', 0]);
  const [best] = result.candidates;
  assert.deepEqual([best.config?.start, best.isLive, best.failure], [0, false, '']);
  assert.deepEqual(
    result.candidates.flatMap(({ config, isLive }) => (isLive ? [config?.start] : [])),
    [0.8],
  );
  assert.equal(result.candidates.length, 6);
  assert(progress.length > 0);
  assert(standings.some(({ rung, rungs, best }) => rung === rungs && best?.config?.start === 0));
  const tuned = await stateOf(client);
  assert.deepEqual([tuned.version, tuned.start], ['2', 0]);
  assert.equal(new Set(tuned.settings?.map(([, hash]) => hash)).size, 2, 'each version has its own settings');
  await rateMany(client, 2000, 2100);
  await client.rollbackModel('shifted');
  const back = await stateOf(client);
  assert.deepEqual([back.version, back.start], ['1', 0.8]);
  assert.equal(back.tables, (await stateOf(client, 'twin')).tables);
});

const WITHOUT_BEGINNING =
  'where the journal no longer has its first records, a candidate begins with what is live in a checkpoint';

test(WITHOUT_BEGINNING, { skip: leftOut }, async (t) => {
  const first = await TestServer.start(t, config);
  await rateMany(first.client, 0, 500);
  await first.client.createCheckpoint();
  const { bytes } = await first.client.exportCheckpoint({ withoutJournal: true });
  const server = await startImported(t, bytes, config);
  await rateMany(server.client, 500, 1400);
  // Of those before the checkpoint nothing can be replayed.
  const failure = await failureOf(server.client.tune({ name: 'shifted', space: SPACE }));
  assert.deepEqual([failure.reason, failure.metadata.events], ['TOO_FEW_EVENTS', '900']);
  await rateMany(server.client, 1400, 2000);
  const { result } = await server.client.tune({ name: 'shifted', space: SPACE });
  assert.deepEqual([result.promoted, result.candidates[0].config?.start], [true, 0], result.decision?.reason);
  await rateMany(server.client, 2000, 2100);
  const tuned = await stateOf(server.client);
  await server.restart();
  assert.deepEqual(await stateOf(server.client), tuned);
  await server.client.rollbackModel('shifted');
  const back = await stateOf(server.client);
  assert.equal(back.tables, (await stateOf(server.client, 'twin')).tables);
});

async function stateOf(client: Client, name = 'shifted') {
  const { hashes, model } = await client.getModel(name);
  const { version, versions } = model ?? {};
  const settings = versions?.map((kept) => [kept.version, kept.configHash]);
  return { tables: hashes?.tables, version, start: model?.config?.start, settings };
}
