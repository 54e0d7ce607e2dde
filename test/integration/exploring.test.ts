import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { draw, lotteryOf } from '../../server/serving/exploration/lottery.ts';
import { PlaceChances } from '../../server/serving/exploration/place-chances.ts';
import { fieldOf } from '../../server/serving/exploration/testing/frequencies.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';

/** Lists that are drawn, and what is said of the chances. The model `mean` ranks items by the sum of their ratings. */

const ITEMS = 12;
const explore = (name: string, model: string, epsilon: number) => ({
  name,
  plugin: 'epsilon-greedy',
  config: { model, epsilon },
});
const { client } = await TestServer.start(
  { after },
  {
    models: [
      explore('explorer', 'mean', 0.5),
      ...TEST_CONFIG.models,
      explore('all', 'mean', 1),
      explore('cold', 'popularity', 0.5),
    ],
  },
);
await client.rate(
  Array.from({ length: ITEMS }, (_, item) =>
    Array.from({ length: item + 1 }, (_, user) => rating(`user-${user}`, `item-${item}`, 1)),
  ).flat(),
);
/** user-11 has rated item-11 alone. */
const NEWEST = `user-${ITEMS - 1}`;
const rankOf = (id: string) => ITEMS - 2 - Number(id.replace('item-', ''));

test('the chance of every item at its place goes out with it', async () => {
  const chances = new PlaceChances(0.5, ITEMS - 1, 4);
  const answers = await Promise.all(Array.from({ length: 40 }, () => client.recommend(NEWEST, { pageSize: 4 })));
  for (const { items, model } of answers) {
    assert.equal(model, 'explorer');
    assert.equal(new Set(items.map(({ itemId }) => itemId)).size, 4);
    for (const [place, { itemId, propensity }] of items.entries())
      assert.ok(Math.abs((propensity ?? 0) - chances.of(rankOf(itemId), place)) < 1e-12);
  }
  assert.ok(new Set(answers.map(({ items }) => items.map(({ itemId }) => itemId).join())).size > 5);
});

test('a list follows from the id of the recommendation and the state', async () => {
  const { items, recommendationId } = await client.recommend(NEWEST, { pageSize: 4 });
  // Rows of items are in the order in which they were rated first; NEWEST has seen the last one.
  const sums = Array.from({ length: ITEMS }, (_, n) => (n < ITEMS - 1 ? n + 1 : Number.NEGATIVE_INFINITY));
  const lottery = lotteryOf({ by: 'epsilon', epsilon: 0.5 }, { user: 0, time: 0 }, 1, recommendationId);
  const again = draw(lottery, fieldOf(sums), 5).slice(0, 4);
  assert.deepEqual(
    items.map(({ itemId, score, propensity }) => [itemId, score, propensity]),
    again.map(({ position, score, chance }) => [`item-${position}`, score, chance()]),
  );
});

test('the next page goes on with what is left, and the last one ends the list', async () => {
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await client.recommend(NEWEST, { pageSize: 4, pageToken });
    seen.push(...page.items.map(({ itemId }) => itemId));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(seen.toSorted(), Array.from({ length: ITEMS - 1 }, (_, n) => `item-${n}`).toSorted());
});

test('what is seen, excluded or no candidate is not drawn, and unknown candidates come last for certain', async () => {
  const options = {
    model: 'all',
    excludeItemIds: ['item-1'],
    candidateItemIds: ['item-1', 'item-2', 'new', 'item-3', 'item-11'],
  };
  for (let n = 0; n < 20; n++) {
    const { items } = await client.recommend(NEWEST, options);
    assert.deepEqual(items.map(({ itemId }) => itemId).toSorted(), ['item-2', 'item-3', 'new']);
    assert.deepEqual(
      items.map(({ propensity }) => propensity),
      [0.5, 0.5, 1],
    );
    assert.equal(items[2].itemId, 'new');
  }
});

test('a list of more than 100 items and one of another model are not drawn', async () => {
  for (const options of [{ pageSize: 101 }, { model: 'mean' }]) {
    const { items } = await client.recommend(NEWEST, options);
    assert.deepEqual(
      items.map(({ itemId, propensity }) => [rankOf(itemId), propensity]),
      items.map((_, place) => [place, undefined]),
    );
  }
});

test('strangers are answered by whoever ranks for them, exploring or not', async () => {
  const stranger = await client.recommend('nobody', { pageSize: 3 });
  assert.deepEqual([stranger.model, stranger.fallbackReason], ['popularity', 'UNKNOWN_USER']);
  assert.deepEqual(
    stranger.items.map(({ propensity }) => propensity),
    [undefined, undefined, undefined],
  );
  const cold = await client.recommend('nobody', { pageSize: 3, model: 'cold' });
  assert.deepEqual([cold.model, cold.fallbackReason], ['cold', '']);
  assert.ok(cold.items.every(({ propensity = 0 }) => propensity > 0 && propensity < 1));
});

test('GetModel says that a model explores', async () => {
  const { model } = await client.getModel('explorer');
  assert.ok(model?.capabilities.includes('explores'));
});
