import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { exportModel, importModel } from '../support/model-files.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

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

test('counts of another shard add up to those of a server that learned both, and the rest is fused too', {
  skip: leftOut,
}, async (t) => {
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

test('a file of the server itself holds what it had learned, also when its model is gone', {
  skip: leftOut,
}, async (t) => {
  const { client } = await TestServer.start(t, config(1));
  await learn(client, ['here'], 0, 1500);
  for (const [name, { plugin, config: settings }] of Object.entries({
    factors: config(1).models[1],
    counts: config(1).models[0],
  })) {
    const request = LoadModelRequest.fromPartial({ name, plugin, config: settings });
    await client.call(ModelServiceService.loadModel, request);
    await importModel(client, name, (await exportModel(client, name)).bytes);
    await client.unloadModel(name);
  }
  await importModel(client, 'early', (await exportModel(client, 'mf')).bytes);
  for (const name of ['early', 'factors']) {
    const seen = await failureOf(client.fuse({ ...AVERAGE, sources: file(name) }));
    assert.deepEqual([seen.code, seen.reason], ['FAILED_PRECONDITION', 'WINDOW_SEEN']);
  }
  for (const name of ['never', '../lock', '']) {
    const failure = await failureOf(client.fuse({ ...AVERAGE, sources: file(name) }));
    assert.equal(failure.reason, name === 'never' ? 'IMPORT_NOT_FOUND' : 'INVALID_FIELD', failure.message);
  }
  await learn(client, ['here'], 1500, 3000);
  const { result } = await client.fuse({ ...AVERAGE, sources: file('factors') });
  assert.equal(result.promoted, true, result.decision?.reason);
  assert(result.diagnostics.agreement > 0.8, `${result.diagnostics.agreement}`);
  const twice = await failureOf(client.fuse({ ...COUNTS, sources: file('counts') }));
  assert.match(twice.message, /counted twice/);
});

test('what a file brought does not count again, by whatever name or way it comes', { skip: leftOut }, async (t) => {
  const north = await TestServer.start(t, config(1));
  const south = await TestServer.start(t, config(1));
  await learn(north.client, ['north'], 0, 1500);
  await learn(south.client, ['south'], 0, 500);
  const keep = async (...names: string[]) => {
    const { bytes } = await exportModel(south.client, 'popularity');
    for (const name of names) await importModel(north.client, name, bytes);
    return createHash('sha256').update(bytes).digest('hex');
  };
  const refused = async (...names: string[]) => {
    const failure = await failureOf(north.client.fuse({ ...COUNTS, sources: names.flatMap(file) }));
    assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'ALREADY_FUSED'], failure.message);
  };
  const passed = async (name: string) => {
    const guard = { margin: 1, metric: 'ndcg@10' };
    const { result } = await north.client.fuse({ ...COUNTS, guard, sources: file(name) });
    assert.equal(result.promoted, true, result.decision?.reason);
  };
  await keep('counts', 'again');
  await refused('counts', 'again');
  await passed('counts');
  await north.restart();
  await learn(north.client, ['north'], 1500, 2600);
  await learn(south.client, ['south'], 500, 600);
  const more = await keep('more');
  for (const name of ['counts', 'again', 'more']) await refused(name);
  // Where it is not in what serves, it is new.
  await north.client.rollbackModel('popularity', '1');
  await passed('more');
  // What it brought leaves with the model.
  const { bytes } = await exportModel(north.client, 'popularity');
  const { __metadata__: metadata } = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE())));
  assert.deepEqual(JSON.parse(metadata.files), [more]);
  const ends = JSON.parse(metadata.learned).map(({ to }: { to: number }) => to);
  const { model } = await south.client.getModel('popularity');
  assert.equal(ends.length, 2);
  assert(ends.includes(Number(model?.revision)), `${ends}`);
});

/** Scores of items for somebody who never rated. */
async function popular(client: Client): Promise<Map<string, number>> {
  const options = { model: 'popularity', pageSize: ITEMS, eventTime: timeOf(4000) };
  const { items } = await client.recommend('nobody', options);
  return new Map(items.map(({ itemId, score }) => [itemId, score]));
}

async function hashes(client: Client) {
  return Promise.all(['mf', 'popularity'].map(async (name) => (await client.getModel(name)).hash));
}
