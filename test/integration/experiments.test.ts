import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ExperimentState } from '../../proto/gen/accrete/v1/experiment.ts';
import {
  askAll,
  createExperiment,
  getExperiment,
  reportWith,
  stopExperiment,
  twoArms,
  updateExperiment,
} from '../support/experiments.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';

/** Experiments end to end: arms answer, exposures are logged, ratings that name them are outcomes. */

const server = await TestServer.start({ after });
const { client } = server;
const users = Array.from({ length: 60 }, (_, n) => `user-${n}`);
const items = Array.from({ length: 12 }, (_, n) => `item-${n}`);
await client.rate(items.flatMap((item, n) => users.slice(0, 5 + n).map((user) => rating(user, item, 1 + (n % 5)))));

const countOf = (counts: readonly { arm: string }[], name: string) => counts.find(({ arm }) => arm === name);

test('an arm answers, what it showed is logged, and what came of it counts', async () => {
  const { experiment } = await createExperiment(client, {
    name: 'first',
    arms: twoArms('popularity', 'mean'),
    primaryMetric: 'conversion',
  });
  assert.equal(experiment?.state, ExperimentState.EXPERIMENT_STATE_RUNNING);
  const answers = await askAll(client, users);
  const arms = new Map([...answers].map(([user, { arm }]) => [user, arm]));
  assert.deepEqual(new Set(arms.values()), new Set(['first/control', 'first/treatment']));
  for (const [user, { arm, model, recommendationId, fallbackReason }] of answers) {
    if (fallbackReason === '') assert.equal(model, arm === 'first/control' ? 'popularity' : 'mean', user);
    assert.match(recommendationId, /^[0-9a-f]{8}-[0-9a-f]{4}-8/);
  }
  const clicked = users.slice(20, 30);
  await client.rate(
    clicked.map((user) => {
      const { recommendationId, items: shown } = answers.get(user) as {
        recommendationId: string;
        items: { itemId: string }[];
      };
      return rating(user, shown[0].itemId, 4, { recommendationId });
    }),
  );
  const report = await reportWith(client, 'first', users.length);
  for (const name of ['control', 'treatment']) {
    const own = users.filter((user) => arms.get(user) === `first/${name}`);
    const { exposures, outcomes, units } = countOf(report.arms, name) as (typeof report.arms)[number];
    assert.deepEqual(
      { exposures: Number(exposures), units: Number(units), outcomes: Number(outcomes) },
      {
        exposures: own.length,
        units: own.length,
        outcomes: own.filter((user) => clicked.includes(user)).length,
      },
    );
  }
  const again = await askAll(client, users);
  for (const [user, { arm }] of again) assert.equal(arm, arms.get(user), user);
});

test('who names a model is outside every experiment', async () => {
  assert.equal((await client.recommend('user-1', { model: 'popularity' })).arm, '');
});

test('weights that grow move the fewest users, and keep those of the arm that grows', async () => {
  const before = await askAll(client, users);
  const [control, treatment] = twoArms('popularity', 'mean');
  const { movedShare } = await updateExperiment(
    client,
    { name: 'first', arms: [control, { ...treatment, weight: 3 }] },
    ['arms'],
  );
  assert.ok(Math.abs(movedShare - 0.25) < 1e-6, `${movedShare} moved`);
  const after = await askAll(client, users);
  for (const user of users) {
    if (before.get(user)?.arm === 'first/treatment') assert.equal(after.get(user)?.arm, 'first/treatment');
  }
});

test('a stopped one answers nobody, and its report stays', async () => {
  const { experiment } = await stopExperiment(client, 'first');
  assert.equal(experiment?.state, ExperimentState.EXPERIMENT_STATE_STOPPED);
  assert.deepEqual(await stopExperiment(client, 'first'), { experiment });
  assert.equal((await client.recommend('user-1')).arm, '');
  const { report } = await getExperiment(client, 'first');
  assert.ok(Number(report?.arms[0].exposures) > 0);
});
