import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExperimentServiceService } from '../../proto/gen/accrete/v1/experiment.ts';
import { importStore } from '../../server/store/archive/import.ts';
import { searchFiles } from '../support/byte-search.ts';
import { createIsolated, getOfArm } from '../support/isolated.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** Isolated arms through what else a store goes through. */

const GONE = 'nobody-knows-this-one';
const ARMS = [
  ['now', 'mean'],
  ['new', 'popularity'],
] as const;

test('whoever is forgotten is in no arm, and a start from a checkpoint has the same arms', async (t) => {
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
  const folder = join(makeFolder(t), 'data');
  const pieces = (async function* () {
    yield bytes;
  })();
  await importStore({ pieces, file: 'f', folder, linkBytes: 2 ** 20 });
  const other = await TestServer.start(t, { ...TEST_CONFIG, data: folder });
  for (const [arm] of ARMS) {
    const [here, there] = [await getOfArm(client, arm), await getOfArm(other.client, arm)];
    assert.deepEqual(there.hashes?.tables, here.hashes?.tables);
    assert.deepEqual(there.hashes?.interactions, here.hashes?.interactions);
  }
});

test('the model of an arm that is promoted has learned what the users of all arms did', {
  skip: leftOut,
}, async (t) => {
  const models = [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 8, sequence: { k: 8 } } }];
  const config = { ...TEST_CONFIG, models, defaultModel: 'mean' };
  const [server, plain] = [await TestServer.start(t, config), await TestServer.start(t, config)];
  await createIsolated(server.client, [
    ['control', 'mean'],
    ['treatment', 'mf'],
  ]);
  const ratings = manyRatings(4000).map((each, n) => ({ ...each, eventTime: { seconds: BigInt(1e9 + n), nanos: 0 } }));
  for (const { client } of [server, plain])
    for (let n = 0; n < ratings.length; n += 500) await client.rate(ratings.slice(n, n + 500));
  const promoted = await server.client.call(ExperimentServiceService.promoteArm, {
    name: 'trial',
    arm: 'treatment',
    guard: undefined,
    validateOnly: false,
  });
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
