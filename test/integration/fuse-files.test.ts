import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { importStore } from '../../server/store/archive/import.ts';
import type { Client } from '../support/client.ts';
import { exportModel, importModel } from '../support/model-files.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** Models of other servers that come as files, and become one with those that are here. */

const config = (seed: number) => ({
  models: [
    { name: 'popularity', plugin: 'popularity', config: {} },
    { name: 'mf', plugin: 'mf', config: { seed, k: 4, replay: { count: 1 }, ranking: 'taste' } },
  ],
  evaluation: { rankEvery: 1, window: 500 },
});
const ITEMS = 60;
const SECOND = 1_700_000_000;

const timeOf = (at: number) => ({ seconds: BigInt(SECOND + 3600 * at), nanos: 0 });

/** Ratings of users of a shard, of whom everybody likes every third item; all items are rated early. */
function ratingsOf(shard: string, from: number, to: number) {
  return Array.from({ length: to - from }, (_, n) => {
    const at = from + n;
    const user = at % 150;
    const item = (at + Math.floor(at / 150)) % ITEMS;
    return rating(`${shard} ${user}`, `item ${item}`, 1 + ((user + item) % 3) * 2, { eventTime: timeOf(at) });
  });
}

async function learn(client: Client, shards: readonly string[], from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 100) for (const shard of shards) await client.rate(ratingsOf(shard, at, at + 100));
}

const AVERAGE = { model: 'mf', strategy: FuseStrategy.FUSE_STRATEGY_AVERAGE, guard: { margin: 1 } };
const COUNTS = { model: 'popularity', strategy: FuseStrategy.FUSE_STRATEGY_COUNTS };
const file = (value: string) => [{ source: { $case: 'file', value } as const }];

test('counts of another shard add up to those of a server that learned both, and the rest is fused too', async (t) => {
  const north = await ServerProcess.start(t, config(1));
  const south = await TestServer.start(t, config(2));
  const both = await TestServer.start(t, config(1));
  const { client } = north;
  await learn(client, ['north'], 0, 2000);
  await learn(south.client, ['south'], 0, 2000);
  await learn(both.client, ['north', 'south'], 0, 2000);
  for (const name of ['popularity', 'mf'])
    await importModel(client, `south-${name}`, (await exportModel(south.client, name)).bytes);

  const guard = { margin: 1, metric: 'ndcg@10' };
  const { result } = await client.fuse({ ...COUNTS, sources: file('south-popularity'), guard });
  assert.equal(result.promoted, true, result.decision?.reason);
  const [fused, expected] = [await popular(client), await popular(both.client)];
  assert.deepEqual([...fused.keys()].sort(), [...expected.keys()].sort());
  for (const [item, score] of expected)
    assert(Math.abs((fused.get(item) ?? 0) - score) < 1e-3, `${item}: ${fused.get(item)}, ${score}`);

  const aligned = await client.fuse({
    model: 'mf',
    strategy: FuseStrategy.FUSE_STRATEGY_PROCRUSTES,
    sources: file('south-mf'),
    guard: { margin: 1 },
  });
  assert.equal(aligned.result.promoted, true, aligned.result.decision?.reason);
  // Of all users of the south the north knows none.
  assert.equal(aligned.result.diagnostics.unknown_rows, 150);
  const before = await hashes(client);
  await north.kill();
  removeCheckpoints(north.data);
  await north.start();
  assert.deepEqual(await hashes(north.client), before, 'after a kill');
});

test('a file of the server itself holds what it had learned', async (t) => {
  const { client } = await TestServer.start(t, config(1));
  await learn(client, ['here'], 0, 1500);
  await importModel(client, 'early', (await exportModel(client, 'mf')).bytes);
  await importModel(client, 'counts', (await exportModel(client, 'popularity')).bytes);
  const seen = await failureOf(client.fuse({ ...AVERAGE, sources: file('early') }));
  assert.deepEqual([seen.code, seen.reason], ['FAILED_PRECONDITION', 'WINDOW_SEEN']);
  for (const name of ['never', '../lock', '']) {
    const failure = await failureOf(client.fuse({ ...AVERAGE, sources: file(name) }));
    assert.equal(failure.reason, name === 'never' ? 'IMPORT_NOT_FOUND' : 'INVALID_FIELD', failure.message);
  }
  await learn(client, ['here'], 1500, 3000);
  const { result } = await client.fuse({ ...AVERAGE, sources: file('early') });
  assert.equal(result.promoted, true, result.decision?.reason);
  assert(result.diagnostics.agreement > 0.8, `${result.diagnostics.agreement}`);

  const twice = await failureOf(client.fuse({ ...COUNTS, sources: file('counts') }));
  assert.match(twice.message, /counted twice/);
});

test('so does one of a model that is gone since, and one of the store that this one was imported from', async (t) => {
  const origin = await TestServer.start(t, config(1));
  const { client } = origin;
  await learn(client, ['here'], 0, 1500);
  for (const [name, plugin] of [
    ['factors', 'mf'],
    ['counts', 'popularity'],
  ]) {
    const { config: settings } = config(1).models.find((model) => model.plugin === plugin) ?? {};
    const request = LoadModelRequest.fromPartial({ name, plugin, config: settings });
    await client.call(ModelServiceService.loadModel, request);
    await importModel(client, name, (await exportModel(client, name)).bytes);
    await client.unloadModel(name);
  }
  await refusedOwn(client, 'factors', 'counts');

  // From here on the two learn apart.
  const data = join(makeFolder(t), 'data');
  const pieces = (async function* (bytes: Buffer) {
    yield bytes;
  })((await client.exportCheckpoint()).bytes);
  await importStore({ pieces, file: 'f', folder: data, linkBytes: 2 ** 20 });
  const other = await TestServer.start(t, { ...config(1), data });
  await learn(client, ['elsewhere'], 1500, 3000);
  for (const [name, model] of [
    ['later', 'mf'],
    ['later-counts', 'popularity'],
  ])
    await importModel(other.client, name, (await exportModel(client, model)).bytes);
  await refusedOwn(other.client, 'later', 'later-counts');
  await learn(other.client, ['here'], 1500, 3000);
  await other.restart();
  const { result } = await other.client.fuse({ ...AVERAGE, sources: file('later') });
  assert.equal(result.promoted, true, result.decision?.reason);
  const twice = await failureOf(other.client.fuse({ ...COUNTS, sources: file('later-counts') }));
  assert.match(twice.message, /counted twice/);
});

/** The window was seen, and counts are not added. */
async function refusedOwn(client: Client, factors: string, counts: string): Promise<void> {
  const seen = await failureOf(client.fuse({ ...AVERAGE, sources: file(factors) }));
  assert.deepEqual([seen.code, seen.reason], ['FAILED_PRECONDITION', 'WINDOW_SEEN']);
  const twice = await failureOf(client.fuse({ ...COUNTS, sources: file(counts) }));
  assert.match(twice.message, /counted twice/);
}

/** Scores of items for somebody who never rated. */
async function popular(client: Client): Promise<Map<string, number>> {
  const options = { model: 'popularity', pageSize: ITEMS, eventTime: timeOf(4000) };
  const { items } = await client.recommend('nobody', options);
  return new Map(items.map(({ itemId, score }) => [itemId, score]));
}

async function hashes(client: Client) {
  return Promise.all(['mf', 'popularity'].map(async (name) => (await client.getModel(name)).hash));
}
