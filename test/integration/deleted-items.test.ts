import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RecommendResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../support/client.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** A deleted item is never recommended again, in no way that there is, until an upsert brings it back. */

const MODELS = ['mf', 'popularity'];
const server = await TestServer.start({ after }, { models: MODELS.map((name) => ({ name, plugin: name })) });
const GONE = ['item-3', 'item-4', 'item-5'];
const all = Array.from({ length: 12 }, (_, n) => `item-${n}`);
const random = randomNumbers(3);
const users = Array.from({ length: 8 }, (_, n) => `user-${n}`);
const tastes = users.flatMap((user) => all.map((id) => rating(user, id, 1 + Math.floor(5 * random()))));
await server.client.rate(tastes.filter(() => random() < 0.6));
await server.client.rate(GONE.flatMap((id) => users.slice(1).map((user) => rating(user, id, 5))));
await server.client.upsertItems(all.map((itemId) => ({ itemId, labels: ['all'] })));
await server.client.putScenario({ name: 'home', model: 'mf', filter: 'labels:all', includeSeen: true });

const idsOf = ({ items }: RecommendResponse) => items.map(({ itemId }) => itemId);

/** All ways to be recommended items, each with what it answers. */
async function askEveryWay(client: Client): Promise<Record<string, string[]>> {
  const ways: Record<string, string[]> = {};
  const more = { pageSize: 100, includeSeen: true };
  for (const model of ['', ...MODELS]) {
    ways[`user by ${model}`] = idsOf(await client.recommend('user-0', { ...more, model }));
    ways[`stranger by ${model}`] = idsOf(await client.recommend('nobody', { ...more, model }));
    ways[`session by ${model}`] = idsOf(await client.recommendAfter(['item-1', 'item-3'], { ...more, model }));
    ways[`candidates by ${model}`] = idsOf(await client.recommend('user-0', { ...more, model, candidateItemIds: all }));
  }
  ways.item = idsOf(await client.recommendLike('item-0', more));
  ways['what nobody has seen'] = idsOf(await client.recommend('user-0', { pageSize: 100 }));
  ways.diverse = idsOf(await client.recommend('user-0', { ...more, diversity: 1 }));
  ways.filter = idsOf(await client.recommend('user-0', { ...more, filter: 'NOT labels:"none"' }));
  ways.scenario = idsOf(await client.recommend('user-0', { scenario: 'home', pageSize: 100 }));
  for (const { event } of await client.recommendBatch({ userIds: ['user-0', 'nobody'], ...more })) {
    if (event?.$case !== 'recommendations') continue;
    const { userId, outcome } = event.value;
    if (outcome?.$case === 'answer') ways[`batch for ${userId}`] = idsOf(outcome.value);
  }
  return ways;
}

/** All ways answer something, and nothing that is gone. */
async function assertGone(client: Client): Promise<void> {
  const ways = Object.entries(await askEveryWay(client));
  assert.equal(ways.length, 19);
  for (const [way, ids] of ways) {
    assert(ids.length > 0, way);
    assert.deepEqual(
      ids.filter((id) => GONE.includes(id)),
      [],
      way,
    );
  }
}

test('before, they are recommended in every way', async () => {
  for (const [way, ids] of Object.entries(await askEveryWay(server.client))) {
    assert(
      ids.some((id) => GONE.includes(id)),
      way,
    );
  }
});

test('deleted items are gone from every list', async () => {
  assert.equal((await server.client.deleteItems(GONE)).deletedCount, GONE.length);
  await assertGone(server.client);
});

test('also when they are rated again, which is learned', async () => {
  const { client } = server;
  const { model: before } = await client.getModel('mf');
  await client.rate(GONE.flatMap((id) => [rating('user-0', id, 5), rating('newcomer', id, 5)]));
  const { model: after } = await client.getModel('mf');
  assert.equal(Number(after?.learnedCount) - Number(before?.learnedCount), 2 * GONE.length);
  await assertGone(client);
});

test('they are not found, and nothing is like them', async () => {
  const { client } = server;
  for (const call of [client.getItem('item-3'), client.recommendLike('item-3'), client.recommendAfter(GONE)]) {
    const { code, reason, metadata } = await failureOf(call);
    assert.deepEqual([code, reason, metadata], ['NOT_FOUND', 'ITEM_NOT_FOUND', { item_id: 'item-3' }]);
  }
  const { items } = await client.listItems({ pageSize: 1000 });
  assert.deepEqual(
    items.filter(({ itemId }) => GONE.includes(itemId)),
    [],
  );
});

test('to delete them again changes no more', async () => {
  const { client } = server;
  const { hashes } = await client.getModel('mf');
  assert.equal((await client.deleteItems(GONE)).deletedCount, 0);
  assert.deepEqual((await client.getModel('mf')).hashes, hashes);
});

test('also after a restart', async () => {
  await server.restart();
  await assertGone(server.client);
});

test('an upsert brings them back, with its fields and their ratings', async () => {
  const { client } = server;
  const answer = await client.upsertItems([{ itemId: 'item-3' }, { itemId: 'item-0' }]);
  assert.deepEqual([answer.createdCount, answer.updatedCount], [1, 1]);
  const { item, ratingCount } = await client.getItem('item-3');
  assert.deepEqual([item?.labels, ratingCount > 0n], [[], true]);
  const ways = await askEveryWay(client);
  for (const way of ['user by mf', 'session by popularity', 'item', 'batch for nobody']) {
    // What a session has looked at is left out of its list.
    assert.equal(ways[way].includes('item-3'), !way.startsWith('session'), way);
    assert(!ways[way].includes('item-4'), way);
  }
});
