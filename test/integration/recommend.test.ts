import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** What Recommend answers. The model `mean` ranks items by the sum of their ratings. */

const ITEMS = 30;
const { client } = await TestServer.start(
  { after },
  {
    limits: { pageSize: 25 },
    models: [...TEST_CONFIG.models, { name: 'failing', plugin: pluginPath('failing') }],
  },
);
/** The sum of item-n is n + 1 ratings of 1, so that item-29 is the best. */
const ratings = Array.from({ length: ITEMS }, (_, item) =>
  Array.from({ length: item + 1 }, (_, user) => rating(`user-${user}`, `item-${item}`, 1)),
);
const { revision } = await client.rate(ratings.flat());
/** user-29 has rated item-29 alone; user-0 has rated all. */
const NEWEST = 'user-29';

const names = (items: readonly { itemId: string }[]) => items.map(({ itemId }) => itemId);
const best = (from: number, count: number) => Array.from({ length: count }, (_, n) => `item-${from - n}`);

test('ten items unless said otherwise, best first, of the first model', async () => {
  const answer = await client.recommend(NEWEST);
  assert.deepEqual(names(answer.items), best(28, 10));
  assert.deepEqual(
    answer.items.map(({ score }) => score),
    [29, 28, 27, 26, 25, 24, 23, 22, 21, 20],
  );
  assert.deepEqual([answer.model, answer.modelVersion, answer.fallbackReason], ['mean', '1', '']);
  assert.equal(answer.revision, revision);
});

test('every answer has an id of its own that a rating may name', async () => {
  const first = await client.recommend(NEWEST);
  const second = await client.recommend(NEWEST);
  assert.match(first.recommendationId, /^[\x21-\x7e]{1,64}$/);
  assert.notEqual(first.recommendationId, second.recommendationId);
  await client.rate([rating('attributed', 'item-1', 4, { recommendationId: first.recommendationId })], {
    validateOnly: true,
  });
});

test('a list can be asked for as of another time, within what ratings may have', async () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const ask = (seconds: number) =>
    client.recommend(NEWEST, { model: 'popularity', eventTime: { seconds: BigInt(seconds), nanos: 0 } });
  // What was rated counts half after 90 days: 1 less of a binary logarithm.
  const [later, earlier] = await Promise.all([nowSeconds, nowSeconds - 90 * 86_400].map(ask));
  assert.deepEqual(names(earlier.items), names(later.items));
  assert(Math.abs(earlier.items[0].score - later.items[0].score - 1) < 1e-6);
  for (const [seconds, says] of [
    [-1, /^event_time is 1 seconds before 1970/],
    [nowSeconds + 90_000, /^event_time is \d+ seconds ahead of this server/],
  ] as const) {
    const failure = await failureOf(ask(seconds));
    assert.deepEqual([failure.reason, failure.message.match(says)?.length], ['INVALID_FIELD', 1], failure.message);
  }
});

test('page_size counts, up to the configured maximum', async () => {
  assert.deepEqual(names((await client.recommend(NEWEST, { pageSize: 3 })).items), best(28, 3));
  assert.deepEqual(names((await client.recommend(NEWEST, { pageSize: 1000 })).items), best(28, 25));
});

test('the list ends with the items, and is empty for whoever has rated all', async () => {
  assert.deepEqual(names((await client.recommend('user-20', { pageSize: 25 })).items), best(19, 20));
  assert.deepEqual((await client.recommend('user-0')).items, []);
});

test('seen items come when asked for', async () => {
  const { items } = await client.recommend(NEWEST, { includeSeen: true, pageSize: 2 });
  assert.deepEqual(names(items), best(29, 2));
});

test('excluded items are left out, unknown ones are passed over', async () => {
  const { items } = await client.recommend(NEWEST, {
    excludeItemIds: ['item-28', 'item-26', 'unheard-of'],
    pageSize: 3,
  });
  assert.deepEqual(names(items), ['item-27', 'item-25', 'item-24']);
});

test('candidates are ranked alone, each once, those that nobody has rated last and in their order', async () => {
  const candidateItemIds = ['new-b', 'item-3', 'item-29', 'new-a', 'item-7', 'item-3', 'new-b'];
  const { items } = await client.recommend(NEWEST, { candidateItemIds });
  assert.deepEqual(names(items), ['item-7', 'item-3', 'new-b', 'new-a']);
  const seen = await client.recommend(NEWEST, {
    candidateItemIds,
    includeSeen: true,
    excludeItemIds: ['new-b', 'item-7'],
  });
  assert.deepEqual(names(seen.items), ['item-29', 'item-3', 'new-a']);
});

test('scores do not depend on which other items are asked', async () => {
  const all = await client.recommend('stranger', { pageSize: 25 });
  const some = await client.recommend('stranger', { candidateItemIds: names(all.items).toReversed(), pageSize: 25 });
  assert.deepEqual(names(some.items), names(all.items));
});

test('predicted_value is the rating expected, also of a stranger and for an item that nobody knows', async () => {
  await client.rate([rating('predicted', 'item-0', 5), rating('predicted', 'item-1', 2)]);
  const known = await client.recommend('predicted', { candidateItemIds: ['item-5', 'unheard-of'] });
  assert.deepEqual(
    known.items.map(({ predictedValue }) => predictedValue),
    [3.5, 3.5],
  );
  const strange = await client.recommend('stranger', { candidateItemIds: ['item-5', 'unheard-of'] });
  assert.deepEqual(
    strange.items.map(({ predictedValue }) => predictedValue),
    [3, 3],
  );
  const ranked = await client.recommend('predicted', { model: 'popularity' });
  assert(ranked.items.every(({ predictedValue }) => predictedValue === undefined));
});

test('a stranger gets the fallback and the reason, never an empty list', async () => {
  const { items, model, fallbackReason } = await client.recommend('stranger', { pageSize: 3 });
  assert.equal(items.length, 3);
  assert.deepEqual(names(items), best(29, 3));
  assert.deepEqual([model, fallbackReason], ['popularity', 'UNKNOWN_USER']);
  assert.deepEqual((await client.recommend('stranger', { model: 'popularity' })).fallbackReason, '');
});

test('an unknown user is not made known by asking', async () => {
  const before = await client.getModel('mean');
  await client.recommend('asked-once', { candidateItemIds: ['asked-once'], excludeItemIds: ['asked-too'] });
  assert.equal((await client.getModel('mean')).hash, before.hash);
});

test('a model that diverged stops, is replaced, and the others go on', async () => {
  assert.deepEqual((await client.recommend(NEWEST, { model: 'failing' })).fallbackReason, '');
  await client.rate([rating(NEWEST, 'item-2', 3, { weight: 10 })]);
  const { predictions } = await client.rate([rating(NEWEST, 'item-4', 4)], { returnPredictions: ['mean'] });
  assert.deepEqual(predictions[0].values, [2]);
  const { items, model, fallbackReason } = await client.recommend(NEWEST, { model: 'failing', pageSize: 3 });
  assert.deepEqual([items.length, model, fallbackReason], [3, 'popularity', 'MODEL_NOT_AVAILABLE']);
  const failed = (await client.getModel('failing')).model;
  assert.equal(failed?.state, 5);
  assert.match(failed?.stateReason ?? '', /quarantined/);
});

test('diversity does without the vectors of a model that diverged', async (t) => {
  const url = JSON.stringify(pathToFileURL(pluginPath('failing')).href);
  const file = join(makeFolder(t), 'with-vectors.mjs');
  writeFileSync(
    file,
    `import failing from ${url};
    const scorer = (host) => {
      const address = host.scratch(4);
      return { ...failing.scorer(host), vectors: { width: 1, of: () => address } };
    };
    export default { ...failing, scorer };`,
  );
  const models = [...TEST_CONFIG.models, { name: 'with-vectors', plugin: file }];
  const { client: alone } = await TestServer.start(t, { models });
  await alone.rate([rating('ann', 'alien', 5), rating('bob', 'matrix', 1)]);
  assert.equal((await alone.recommend('stranger', { diversity: 0.5 })).items.length, 2);
  await alone.rate([rating('ann', 'solaris', 3, { weight: 10 })]);
  await alone.rate([rating('ann', 'stalker', 3)]);
  const failure = await failureOf(alone.recommend('stranger', { diversity: 0.5 }));
  assert.deepEqual([failure.code, failure.reason], ['UNIMPLEMENTED', 'CAPABILITY_MISSING']);
});

test('without a model that ranks for strangers the counts of ratings do', async (t) => {
  const { client: alone } = await TestServer.start(t, { models: [TEST_CONFIG.models[0]] });
  await alone.rate([rating('ann', 'rare', 5), rating('ann', 'common', 1), rating('bob', 'common', 1)]);
  const { items, model, fallbackReason } = await alone.recommend('stranger');
  assert.deepEqual(
    items.map(({ itemId, score }) => [itemId, score]),
    [
      ['common', 2],
      ['rare', 1],
    ],
  );
  assert.deepEqual([model, fallbackReason], ['popularity', 'UNKNOWN_USER']);
});

test('a server without ratings recommends nothing, and says why', async (t) => {
  const { client: empty } = await TestServer.start(t);
  const { items, fallbackReason } = await empty.recommend('ann');
  assert.deepEqual([items, fallbackReason], [[], 'UNKNOWN_USER']);
  assert.deepEqual((await empty.evaluate()).rows, []);
});
