import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { unitKey } from '../../server/allocation/unit-key.ts';
import { searchFiles } from '../support/byte-search.ts';
import { createExperiment, getExperiment, reportWith, twoArms } from '../support/experiments.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';

/** Someone who is forgotten is in no exposure any more, whether they ever rated or not. */

const users = Array.from({ length: 12 }, (_, n) => `user-${n}`);

test('exposures and units of someone who is forgotten go, and a start comes to the same ledger', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t, TEST_CONFIG);
  const { client } = server;
  await client.rate(users.slice(0, 6).map((user, n) => rating(user, `item-${n}`, 3)));
  await createExperiment(client, { name: 'first', arms: twoArms('popularity', 'mean') });
  await createExperiment(client, {
    name: 'by-page',
    arms: twoArms('mean', 'popularity'),
    unit: 'context.page',
    layer: 'pages',
  });
  for (let round = 0; round < 2; round++)
    for (const user of users) await client.recommend(user, { context: { page: `page-${round}` } });
  // A page may be named as someone is.
  await client.recommendAfter(['item-1'], { context: { page: 'user-9' } });
  await reportWith(client, 'first', 2 * users.length);
  await reportWith(client, 'by-page', 1);
  const unitsOf = async () =>
    Number((await getExperiment(client, 'first')).report?.arms.reduce((n, arm) => n + Number(arm.units), 0));
  assert.equal(await unitsOf(), users.length);
  const gone = ['user-2', 'user-9'];
  for (const user of gone) {
    const { removals } = await client.forgetUser(user);
    assert.ok(
      removals.some(({ place, count }) => place === 'journal' && Number(count) >= 2),
      user,
    );
  }
  assert.equal(await unitsOf(), users.length - gone.length);
  const hash = (await client.getModel('mean')).hashes?.experiments;
  await server.stop();
  for (const user of gone) {
    const key = Buffer.alloc(8);
    key.writeBigUInt64LE(unitKey(user));
    assert.deepEqual(searchFiles(server.data, [key, user]), []);
  }
  rmSync(join(server.data, 'state'), { recursive: true });
  await server.restart();
  assert.equal((await server.client.getModel('mean')).hashes?.experiments, hash);
});
