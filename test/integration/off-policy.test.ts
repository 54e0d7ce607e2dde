import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import { createExperiment, reportOnce, reportWith } from '../support/experiments.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';

/** What models would have earned in places that an exploring one filled; `mean` ranks items by the sum of their ratings. */

const ITEMS = 6;
const ANSWERS = 150;
const PLACES = 2;
const server = await TestServer.start(
  { after },
  {
    kinds: { click: {} },
    models: [
      ...TEST_CONFIG.models,
      { name: 'any', plugin: 'epsilon-greedy', config: { model: 'mean', epsilon: 1 } },
      { name: 'some', plugin: 'epsilon-greedy', config: { model: 'mean', epsilon: 0.9 } },
    ],
  },
);
const { client } = server;
const OFF_POLICY = { protocol: EvaluationProtocol.EVALUATION_PROTOCOL_OFF_POLICY };
/** Of the item that all like most, and of the others. */
const clickChance = (item: string) => (item === `item-${ITEMS - 1}` ? 0.9 : 0.1);

test('without an answer that was drawn there is nothing to go by', async () => {
  await assert.rejects(client.evaluate(OFF_POLICY), /No answer of the window tells/);
});

test('from what was drawn by chance it tells what the best lists would earn', async () => {
  const users = Array.from({ length: 30 }, (_, n) => `user-${n}`);
  const rated = Array.from({ length: ITEMS }, (_, n) => rating('critic', `item-${n}`, 1 + (4 * n) / ITEMS));
  await client.rate([...rated, ...users.map((user) => rating(user, 'seen', 1))]);
  const arms = ['any', 'some'].map((model) => ({ name: model, model, weight: 1 }));
  await createExperiment(client, { name: 'draws', arms });
  const next = randomNumbers(5);
  let clicks = 0;
  for (let n = 0; n < ANSWERS; n++) {
    const userId = users[n % users.length];
    const { items, recommendationId } = await client.recommend(userId, { pageSize: PLACES });
    const clicked = items.filter(({ itemId }) => next() < clickChance(itemId));
    clicks += clicked.length;
    if (clicked.length > 0)
      await client.rate(
        clicked.map(({ itemId }) => rating(userId, itemId, undefined, { kind: 'click', recommendationId })),
      );
  }
  await reportWith(client, 'draws', ANSWERS);
  const report = await client.evaluate({ ...OFF_POLICY, models: ['mean', 'any'], weightMax: 5 });
  const figure = (model: string, metric: string) =>
    report.rows.find((row) => row.model === model && row.metric === metric);
  const truth = (0.9 + 0.1) / PLACES;
  for (const metric of ['ips', 'snips', 'doubly_robust']) {
    const { value, lower = 1, upper = 0, count } = figure('mean', metric) ?? { value: Number.NaN, count: 0n };
    assert(lower < truth && truth < upper, `${metric}: ${lower} to ${upper}`);
    assert(lower > clicks / ANSWERS / PLACES, `${metric} tells it from what was shown: ${lower}`);
    assert.equal(Number(count), ANSWERS * PLACES);
    assert(value > 0.2);
    // What explores is asked for what it thinks best.
    assert.equal(figure('any', metric)?.value, value);
  }
  const size = figure('mean', 'effective_size')?.value ?? 0;
  assert(size > 15 && size < 120, `${size}`);
  assert(Math.abs((figure('mean', 'mean_weight')?.value ?? 0) - 1) < 0.35);
  // Any of six items, for certain or nearly so: weights of about six.
  assert((figure('mean', 'clipped_share')?.value ?? 0) > 0);
});

test('how the differences moved is in the report', async () => {
  const { points } = await reportOnce(client, (report) => report.points.length > 0, 'draws');
  assert(points.every(({ arm, time }) => arm === 'some' && time !== undefined));
});

test('what belongs to other protocols is refused', async () => {
  for (const [field, more] of Object.entries({
    negatives: { negatives: 5 },
    holdout: { holdout: { split: 0 } },
    weight_max: { weightMax: -1 },
    'metrics[0]': { metrics: ['rmse'] },
  })) {
    await assert.rejects(client.evaluate({ ...OFF_POLICY, ...more } as never), (error) =>
      String(error).includes(field),
    );
  }
});
