import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GONE, learnOthers, learnThem, PROBE, tracesIn } from '../support/forgotten.ts';
import { startImported } from '../support/imported.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';

/** Someone is forgotten of whom the journal has not all: it begins at a checkpoint. */

const config = {
  models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 8 } }],
  kinds: { click: {} },
  journal: { linkMiB: 1 },
};
/** An id of a request may say whose it is. */
const NAMING = GONE.slice(0, 30);

test('where the journal begins later, checkpoints, versions and requests of before are found too', {
  skip: leftOut,
}, async (t) => {
  const first = await TestServer.start(t, config);
  await learnThem(first.client);
  await first.client.fuse({ model: 'mf', guard: { margin: 1 } });
  await first.client.rate([rating('user-1', 'item-2', 2), rating(GONE, 'item-2', PROBE)], { requestId: NAMING });
  await first.client.rate([rating('user-1', 'item-3', 2)], { requestId: 'request-of-another' });
  await first.client.createCheckpoint();
  const { bytes } = await first.client.exportCheckpoint({ withoutJournal: true });
  const server = await startImported(t, bytes, config);
  const { client, data } = server;
  await client.rate([rating(GONE, 'item-77', PROBE)]);
  const left = () => tracesIn(data).filter((trace) => !trace.startsWith('request-of-ann'));
  assert.notDeepEqual(left(), []);
  const checkpoints = readdirSync(join(data, 'state')).filter((name) => name.endsWith('.mdb'));
  const expected = placesOf(await client.forgetUser(GONE, true));
  const places = placesOf(await client.forgetUser(GONE));
  assert.deepEqual(places, expected);
  assert.deepEqual([places.journal, places.checkpoints, places.request_ids], [1, checkpoints.length, 1]);
  assert.ok(places['model:mf@1'] > 0 && places['model:mf@2'] > 0);
  assert.ok(checkpoints.length > 0);
  assert.deepEqual(left(), []);
  const again = await client.rate([rating('user-1', 'item-3', 2)], { requestId: 'request-of-another' });
  assert.equal(again.duplicate, true, 'requests of others are remembered');
  await learnOthers(client, 7, 3);
  const { hash } = await client.getModel('mf');
  await server.restart();
  assert.equal((await server.client.getModel('mf')).hash, hash);
  assert.deepEqual((await server.client.listRatings(GONE)).ratings, []);
  assert.deepEqual(left(), []);
});

function placesOf({ removals }: Awaited<ReturnType<TestServer['client']['forgetUser']>>): Record<string, number> {
  return Object.fromEntries(removals.map(({ place, count }) => [place, Number(count)]));
}
