import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { searchFiles } from '../support/byte-search.ts';
import { promoteArm, stopExperiment } from '../support/experiments.ts';
import { startImported } from '../support/imported.ts';
import { createIsolated, getOfArm } from '../support/isolated.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';

/** Isolated arms through what else a store goes through. */

const SMALL = { name: 'mf', plugin: 'mf', config: { k: 8, sequence: { k: 8 } } };
/** At a time that is told. */
const at = (each: Rating, n: number) => ({ ...each, eventTime: { seconds: BigInt(1e9 + n), nanos: 0 } });
const GONE = 'nobody-knows-this-one';
const ARMS = [
  ['now', 'mean'],
  ['new', 'popularity'],
] as const;

test('whoever is forgotten is in no arm, and a start from a checkpoint has the same arms', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t, TEST_CONFIG);
  const { client } = server;
  await client.rate([...manyRatings(120), rating(GONE, 'item-1', 2), rating(GONE, 'item-2', 2)]);
  await createIsolated(client, ARMS);
  await client.rate([rating(GONE, 'item-3', 2), rating('late', 'item-3', 5)]);
  const of = async () => Promise.all(ARMS.map(async ([arm]) => (await getOfArm(server.client, arm)).hashes));
  const before = await of();
  await client.forgetUser(GONE);
  const after = await of();
  for (const [n, hashes] of after.entries()) {
    assert.notEqual(hashes?.ids, before[n]?.ids);
    assert.notEqual(hashes?.interactions, before[n]?.interactions);
  }
  await server.restart();
  assert.deepEqual(await of(), after);
  await server.stop();
  assert.deepEqual(searchFiles(server.data, [GONE]), []);
});

test('a store that is imported has the arms of the one that was exported', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t, TEST_CONFIG);
  const { client } = server;
  await client.rate(manyRatings(200));
  await createIsolated(client, ARMS);
  await client.rate(manyRatings(100, { from: 200 }));
  await client.createCheckpoint();
  const { bytes } = await client.exportCheckpoint({ withoutJournal: true });
  const other = await startImported(t, bytes, TEST_CONFIG);
  for (const [arm] of ARMS) {
    const [here, there] = [await getOfArm(client, arm), await getOfArm(other.client, arm)];
    assert.deepEqual(there.hashes?.tables, here.hashes?.tables);
    assert.deepEqual(there.hashes?.interactions, here.hashes?.interactions);
  }
});

test('the model of an arm that is promoted has learned what the users of all arms did', {
  skip: leftOut,
}, async (t) => {
  const config = { ...TEST_CONFIG, models: [...TEST_CONFIG.models, SMALL], defaultModel: 'mean' };
  const [server, plain] = [await TestServer.start(t, config), await TestServer.start(t, config)];
  await createIsolated(server.client, [
    ['control', 'mean'],
    ['treatment', 'mf'],
  ]);
  const ratings = manyRatings(4000).map(at);
  for (const { client } of [server, plain])
    for (let n = 0; n < ratings.length; n += 500) await client.rate(ratings.slice(n, n + 500));
  const promoted = await promoteArm(server.client, 'trial', 'treatment');
  assert.ok(promoted.promoted, promoted.decision?.reason);
  const [one, other] = [await server.client.getModel('mf'), await plain.client.getModel('mf')];
  assert.equal(one.model?.isDefault, true);
  assert.equal(one.hashes?.tables, other.hashes?.tables);
  const [here, there] = [
    await server.client.recommend('user-1'),
    await plain.client.recommend('user-1', { model: 'mf' }),
  ];
  assert.deepEqual([here.arm, here.items], ['', there.items]);
});

test('a kill between two checkpoints loses nothing of an arm', { skip: leftOut }, async (t) => {
  const server = await ServerProcess.start(t, { ...TEST_CONFIG, models: [...TEST_CONFIG.models, SMALL] });
  const ratings = manyRatings(6000, { users: 200 }).map(at);
  const tell = async (from: number, to: number) => {
    for (let n = from; n < to; n += 50) await server.client.rate(ratings.slice(n, n + 50));
  };
  const of = async () =>
    Promise.all(['now', 'new'].map(async (arm) => [arm, (await getOfArm(server.client, arm)).hashes] as const));
  await tell(0, 1000);
  await createIsolated(server.client, [
    ['now', 'mean'],
    ['new', 'mf'],
  ]);
  for (let n = 1; n < 5; n++) {
    // Rows change while they are saved.
    await Promise.all([tell(1000 * n, 1000 * n + 1000), server.client.createCheckpoint()]);
    const before = await of();
    await server.kill();
    await server.start();
    assert.deepEqual(await of(), before, `${n}`);
  }
});

test('when the memory is full ratings are refused, arms stay what they are, and the end makes room', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t, { ...TEST_CONFIG, memory: { budgetMiB: 160 } });
  await createIsolated(server.client, ARMS);
  const strangers = (batch: number) =>
    Array.from({ length: 2000 }, (_, n) =>
      rating(`u-${batch}-${n}`.padEnd(250, '.'), `i-${batch}-${n}`.padEnd(250, '.'), 4),
    );
  let batches = 0;
  const fill = async () => {
    for (; ; batches++) {
      const call = server.client.rate(strangers(batches));
      const refused = await call.then(
        () => undefined,
        () => failureOf(call),
      );
      if (refused) return assert.deepEqual([refused.code, refused.reason], ['RESOURCE_EXHAUSTED', 'MEMORY_FULL']);
    }
  };
  await fill();
  assert.ok(batches > 0);
  const of = async () => Promise.all(ARMS.map(async ([arm]) => (await getOfArm(server.client, arm)).hashes));
  const before = await of();
  await server.restart();
  assert.deepEqual(await of(), before);
  // A start leaves no gaps.
  await fill();
  await stopExperiment(server.client, 'trial');
  await server.client.rate(strangers(batches));
});
