import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';

/** `explain` names the ratings that hold an item up: taken back, it is gone from the answer. */

const ITEMS = 24;

test('what is said to hold an item up does: without it the item is not in the answer', async (t) => {
  const [mean] = TEST_CONFIG.models;
  const models = [{ name: 'item-cf', plugin: 'item-cf' }, mean];
  const { client } = await TestServer.start(t, { models });
  // Everybody goes through the items from somewhere, in steps of one or two.
  const ratings = Array.from({ length: 30 * 8 }, (_, n) => {
    const [user, step] = [n % 30, Math.floor(n / 30)];
    return rating(`user-${user}`, `item-${(5 * user + step * (1 + (user % 2))) % ITEMS}`, 4);
  });
  await client.rate(ratings);
  const page = { pageSize: 3, explain: true };
  const { items } = await client.recommend('user-4', page);
  const told = items.filter(({ explanation }) => (explanation?.counterfactualItemIds.length ?? 0) > 0);
  assert.ok(told.length > 0, JSON.stringify(items));
  for (const { itemId, explanation } of told) {
    const held = explanation?.counterfactualItemIds ?? [];
    const names = explanation?.contributions.map(({ source }) => source?.$case === 'itemId' && source.value);
    for (const each of held) assert.ok(names?.includes(each), `${each} adds nothing to ${itemId}`);
    await client.rate(held.map((each) => ({ ...rating('user-4', each, 4), retract: true })));
    const after = await client.recommend('user-4', page);
    assert.ok(!after.items.some((item) => item.itemId === itemId), `${itemId} stays without ${held}`);
    await client.rate(held.map((each) => rating('user-4', each, 4)));
  }
});

test('nothing is said of a stranger, of a list that is diversified, or by a model that cannot know', async (t) => {
  const [mean] = TEST_CONFIG.models;
  const models = [{ name: 'item-cf', plugin: 'item-cf' }, mean, { name: 'mf', plugin: 'mf' }];
  const { client } = await TestServer.start(t, { models });
  await client.rate(Array.from({ length: 60 }, (_, n) => rating(`user-${n % 7}`, `item-${n % 11}`, 4)));
  const answers = await Promise.all([
    client.recommend('stranger', { explain: true }),
    client.recommend('user-1', { explain: true, model: 'mf' }),
    client.recommend('user-1', { explain: true, diversity: 0.5 }),
    client.recommend('user-1', { explain: false }),
  ]);
  for (const { items } of answers)
    for (const { explanation } of items) assert.deepEqual(explanation?.counterfactualItemIds ?? [], []);
});
