import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { readMovieLensSmall } from '../data.ts';
import { Exam } from '../support/exam.ts';
import { batchesOf, randomNumbers, rating, retraction } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';

/** Learning happens in the call: whoever has the answer meets models that know what was rated. */

const server = await TestServer.start({ after });
const { client } = server;

test('what was rated is used and left out from the answer on, on every connection', async (t) => {
  const fresh = await TestServer.start(t);
  const connections = [fresh.client, fresh.connect(), fresh.connect()];
  const random = randomNumbers(1);
  const draw = (count: number) => Math.floor(random() * count);
  const sums = new Map<string, number>();
  const seen = new Map<string, Set<string>>();
  for (let n = 0; n < 250; n++) {
    const [user, item, value] = [`user-${draw(20)}`, `item-${n % 2 === 0 ? n : draw(n + 1)}`, 1 + draw(5)];
    const items = seen.get(user) ?? new Set();
    if (items.has(item)) continue;
    seen.set(user, items.add(item));
    await fresh.client.rate([rating(user, item, value)]);
    sums.set(item, (sums.get(item) ?? 0) + value);
    const answer = await connections[n % 3].recommend(user, { model: 'mean', pageSize: 5 });
    const best = [...sums].filter(([name]) => !items.has(name)).sort(([, a], [, b]) => b - a);
    assert.deepEqual(
      answer.items.map(({ score }) => score),
      best.slice(0, 5).map(([, sum]) => sum),
    );
    for (const { itemId, score } of answer.items) {
      assert(!items.has(itemId), `${user} has rated ${itemId}`);
      assert.equal(score, sums.get(itemId));
    }
  }
});

test('a batch is learned in its order, and predictions are what was expected just before each rating', async () => {
  const values = [5, 1, 3, 4];
  const { predictions } = await client.rate(
    values.map((value, n) => rating('in-order', `item-${n}`, value)),
    { returnPredictions: ['mean'] },
  );
  assert.deepEqual(predictions, [{ model: 'mean', values: [3, 5, 3, 3] }]);
});

test('predictions come in the order of their names, one for each time that a name is asked', async () => {
  const { predictions } = await client.rate([rating('ordered', 'matrix', 4)], { returnPredictions: ['mean', 'mean'] });
  assert.deepEqual(
    predictions.map(({ model }) => model),
    ['mean', 'mean'],
  );
});

for (const [min, max] of [
  [1, 5],
  [-10, 10],
]) {
  test(`on ${min}..${max}, what a client recomputes from predictions is what the server counts`, async (t) => {
    const { client: counting } = await TestServer.start(t, { rating: { min, max }, evaluation: { window: 200 } });
    const exam = new Exam();
    const random = randomNumbers(2);
    const drawValue = () => min + (max - min) * random();
    for (let batch = 0; batch < 30; batch++) {
      const ratings = Array.from({ length: 20 }, () => drawRating(random, drawValue));
      const { predictions } = await counting.rate(ratings, { returnPredictions: ['mean'] });
      exam.mark(ratings, predictions[0].values);
    }
    const { rows } = await counting.evaluate({ models: ['mean'], metrics: ['rmse', 'mae'] });
    const figures = Object.fromEntries(
      rows.map(({ metric, window, value, count }) => [`${metric} ${window}`, { value, count }]),
    );
    assert(exam.counted > 300 && exam.edits > 10 && exam.retractions > 10, JSON.stringify(exam));
    for (const [name, expected] of Object.entries(exam.figures(200))) {
      assert.equal(Number(figures[name].count), expected.count, name);
      assert(
        Math.abs(figures[name].value - expected.value) < 1e-9,
        `${name}: ${figures[name].value}, not ${expected.value}`,
      );
    }
  });
}

test('a rating set again replaces the first one, everywhere', async () => {
  await client.rate([rating('editor', 'matrix', 1), rating('editor', 'alien', 4)]);
  await client.rate([rating('editor', 'matrix', 3, { weight: 2 })]);
  const listed = await client.allRatings('editor');
  assert.deepEqual(
    listed.map(({ itemId, value, weight }) => [itemId, value, weight]),
    [
      ['alien', 4, 1],
      ['matrix', 3, 2],
    ],
  );
  assert.equal(await expectedOf('editor'), 3.5);
  const { items } = await client.recommend('editor', { model: 'mean' });
  assert(items.every(({ itemId }) => itemId !== 'matrix'));
});

test('the order of arrival counts, not the event time', async () => {
  const at = (seconds: bigint) => ({ eventTime: { seconds, nanos: 5 } });
  await client.rate([rating('late', 'matrix', 5, at(2000n))]);
  await client.rate([rating('late', 'matrix', 2, at(1000n))]);
  const [{ value, eventTime }] = await client.allRatings('late');
  assert.deepEqual([value, eventTime], [2, { seconds: 1000n, nanos: 5 }]);
});

test('a rating without a time has the time of its receipt', async () => {
  const before = Date.now();
  await client.rate([rating('now', 'matrix', 4)]);
  const [{ eventTime }] = await client.allRatings('now');
  const ms = Number(eventTime?.seconds) * 1000 + (eventTime?.nanos ?? 0) / 1e6;
  assert(ms >= before && ms <= Date.now(), `${ms} is not between ${before} and now`);
});

test('what was taken back is gone: from lists, from models, and it may be recommended again', async () => {
  await client.rate([rating('fickle', 'matrix', 5), rating('fickle', 'alien', 1)]);
  const { acceptedCount } = await client.rate([retraction('fickle', 'matrix')]);
  assert.equal(acceptedCount, 1);
  assert.deepEqual(
    (await client.allRatings('fickle')).map(({ itemId }) => itemId),
    ['alien'],
  );
  assert.equal(await expectedOf('fickle'), 1);
  const { items } = await client.recommend('fickle', { model: 'mean', pageSize: 1000 });
  assert(items.some(({ itemId }) => itemId === 'matrix'));
  await client.rate([retraction('fickle', 'alien')]);
  assert.deepEqual(await client.allRatings('fickle'), []);
  assert.equal(await expectedOf('fickle'), 3);
  assert.equal((await client.recommend('fickle')).fallbackReason, 'UNKNOWN_USER');
});

test('taking back what is not there is accepted and changes nothing', async () => {
  await client.rate([rating('there', 'matrix', 4)]);
  const before = await client.getModel('mean');
  const { acceptedCount, revision } = await client.rate([
    retraction('never-seen', 'never-seen'),
    retraction('there', 'never-seen'),
    retraction('never-seen', 'matrix'),
  ]);
  assert.equal(acceptedCount, 3);
  const now = await client.getModel('mean');
  assert.deepEqual([now.hash, now.hashes], [before.hash, before.hashes]);
  assert.equal(now.model?.revision, revision);
});

test('what is only validated is not learned', async () => {
  const before = await client.getModel('mean');
  const ratings = [rating('validated', 'new-item', 4), rating('there', 'matrix', 1), retraction('there', 'matrix')];
  const answer = await client.rate(ratings, {
    validateOnly: true,
    requestId: 'validated',
    returnPredictions: ['mean'],
  });
  assert.deepEqual(answer, { revision: '', acceptedCount: 3, duplicate: false, predictions: [] });
  assert.deepEqual(await client.getModel('mean'), before);
  // Nor is its id remembered.
  assert.equal((await client.rate([rating('validated', 'other', 2)], { requestId: 'validated' })).duplicate, false);
});

test('ratings are listed page by page, the latest arrival first, also when more arrive between pages', async () => {
  const items = Array.from({ length: 25 }, (_, n) => `item-${n}`);
  for (const item of items) await client.rate([rating('reader', item, 3)]);
  const first = await client.listRatings('reader', { pageSize: 10 });
  await client.rate([rating('reader', 'item-25', 3), retraction('reader', 'item-3')]);
  const second = await client.listRatings('reader', { pageSize: 10, pageToken: first.nextPageToken });
  const third = await client.listRatings('reader', { pageSize: 10, pageToken: second.nextPageToken });
  assert.equal(third.nextPageToken, '');
  const listed = [first, second, third].flatMap(({ ratings }) => ratings.map(({ itemId }) => itemId));
  assert.deepEqual(
    listed,
    items.toReversed().filter((item) => item !== 'item-3'),
  );
  assert.deepEqual(await client.listRatings('never-seen'), { ratings: [], nextPageToken: '' });
});

test('the shipped models learn real ratings, and count what a client counts', async (t) => {
  const { client: shipped } = await TestServer.start(t, { models: undefined, rating: { min: 0.5, max: 5 } });
  const exam = new Exam();
  for (const ratings of batchesOf(readMovieLensSmall(), 0, 3000, 250)) {
    const { predictions } = await shipped.rate(ratings, { returnPredictions: ['mf'] });
    exam.mark(ratings, predictions[0].values);
  }
  const { rows } = await shipped.evaluate({ models: ['mf'], metrics: ['rmse', 'mae'] });
  for (const { metric, window, value, count } of rows) {
    const expected = exam.figures(10_000)[`${metric} ${window}`];
    assert.equal(Number(count), expected.count);
    assert(Math.abs(value - expected.value) < 1e-6, `${metric} ${window}: ${value}, not ${expected.value}`);
  }
  assert(exam.figures(10_000)['rmse total'].value < 1.05);
});

/** What the model expects of a user, for an item that nobody knows. */
async function expectedOf(user: string): Promise<number | undefined> {
  const { items } = await client.recommend(user, { model: 'mean', candidateItemIds: ['unheard-of'] });
  return items[0].predictedValue;
}

/** First ratings, edits and retractions of few users and items. */
function drawRating(random: () => number, drawValue: () => number): Rating {
  const [user, item] = [`user-${Math.floor(random() * 20)}`, `item-${Math.floor(random() * 40)}`];
  return random() < 0.1 ? retraction(user, item) : rating(user, item, drawValue());
}
