import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import { createExperiment, reportOnce, reportWith } from '../support/experiments.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { within } from '../support/within.ts';

/** What models would have earned in places that an exploring one filled; `mean` ranks items by the sum of their ratings. */

const ITEMS = 6;
const ANSWERS = 150;
const PLACES = 2;
const USERS = 30;
const WEIGHT_MAX = 5;
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
  const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
  const rated = Array.from({ length: ITEMS }, (_, n) => rating('critic', `item-${n}`, 1 + (4 * n) / ITEMS));
  await client.rate([...rated, ...users.map((user) => rating(user, 'seen', 1))]);
  const arms = ['any', 'some'].map((model) => ({ name: model, model, weight: 1 }));
  await createExperiment(client, { name: 'draws', arms });
  const next = randomNumbers(5);
  const best = [`item-${ITEMS - 1}`, `item-${ITEMS - 2}`];
  // By hand: weights of places that were filled as `mean` would, and which of them were clicked on.
  let [weights, squares, earned, clipped] = [0, 0, 0, 0];
  for (let n = 0; n < ANSWERS; n++) {
    const userId = users[n % users.length];
    const { items, recommendationId } = await client.recommend(userId, { pageSize: PLACES });
    const clicked = items.filter(({ itemId }) => next() < clickChance(itemId));
    for (const [place, item] of items.entries()) {
      if (item.itemId !== best[place]) continue;
      const weight = Math.min(WEIGHT_MAX, 1 / (item.propensity ?? 0));
      if (weight === WEIGHT_MAX) clipped++;
      weights += weight;
      squares += weight * weight;
      if (clicked.includes(item)) earned += weight;
    }
    if (clicked.length > 0)
      await client.rate(
        clicked.map(({ itemId }) => rating(userId, itemId, undefined, { kind: 'click', recommendationId })),
      );
    // Of nobody who was shown it.
    await client.rate([rating('critic', items[0].itemId, undefined, { kind: 'click', recommendationId })]);
  }
  await reportWith(client, 'draws', ANSWERS);
  const report = await client.evaluate({ ...OFF_POLICY, models: ['mean', 'any'], weightMax: WEIGHT_MAX });
  const places = ANSWERS * PLACES;
  const expected = {
    ips: earned / places,
    snips: earned / weights,
    effective_size: weights ** 2 / squares,
    clipped_share: clipped / places,
    mean_weight: weights / places,
  };
  assert(weights > 0 && clipped > 0 && earned > 0);
  const figure = (model: string, metric: string) =>
    report.rows.find((row) => row.model === model && row.metric === metric);
  for (const [metric, value] of Object.entries(expected)) {
    const found = figure('mean', metric);
    // Propensities are logged as f32.
    assert(found && Math.abs(found.value - value) < 1e-5 * value, `${metric}: ${found?.value}, not ${value}`);
    assert.equal(Number(found.count), places);
    // What explores is asked for what it thinks best.
    assert.equal(figure('any', metric)?.value, found.value);
  }
  for (const metric of ['ips', 'snips', 'doubly_robust']) {
    const { value, lower = 1, upper = 0 } = figure('mean', metric) ?? { value: Number.NaN };
    assert(lower < value && value < upper, `${metric}: ${lower} to ${upper}`);
  }
});

test('how the differences moved is in the report', async () => {
  const { points } = await reportOnce(client, (report) => report.points.length > 0, 'draws');
  assert(points.every(({ arm, time }) => arm === 'some' && time !== undefined));
});

test('answers to someone who is forgotten count no more, and those to others as before', async () => {
  await client.forgetUser('user-0');
  const places = (ANSWERS - ANSWERS / USERS) * PLACES;
  const rows = async () => (await client.evaluate({ ...OFF_POLICY, models: ['mean'] })).rows;
  const isGone = async () => (await rows()).every(({ count }) => Number(count) === places);
  const untilGone = async () => {
    while (!(await isGone()));
  };
  await within(60_000, 'answers of one who is forgotten', untilGone());
  const metrics = (await rows()).map(({ metric }) => metric);
  assert.deepEqual(metrics, ['ips', 'snips', 'doubly_robust', 'effective_size', 'clipped_share', 'mean_weight']);
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
