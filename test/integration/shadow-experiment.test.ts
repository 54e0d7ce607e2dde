import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LearningScope } from '../../proto/gen/accrete/v1/model.ts';
import { createExperiment, getExperiment, twoArms } from '../support/experiments.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath, TestServer } from '../support/server.ts';

/** An experiment in the SHADOW of its control: all arms expect every rating, and are compared by the same ones. */

test('the control answers everybody, and arms are told apart by what they expect of the same ratings', async (t) => {
  const models = [
    { name: 'mean', plugin: pluginPath('mean') },
    { name: 'biases', plugin: 'mf', config: { k: 4, sequence: { k: 4 } } },
  ];
  const { client } = await TestServer.start(t, { models });
  const random = randomNumbers(5);
  // Items differ, of which `mean` knows nothing; users differ much more.
  const rated = Array.from({ length: 1600 }, (_, n) => {
    const [user, item] = [n % 80, Math.floor(n / 80)];
    return rating(
      `user-${user}`,
      `item-${item}`,
      1 + (user % 3) + (item % 2) + Math.floor(random() * (1 + (user % 2))),
    );
  });
  const tell = async (from: number, to: number) => {
    for (let n = from; n < to; n += 100) await client.rate(rated.slice(n, n + 100));
  };
  await tell(0, 400);
  const learningScope = LearningScope.LEARNING_SCOPE_SHADOW;
  await createExperiment(client, {
    name: 'trial',
    learningScope,
    primaryMetric: 'mae',
    arms: twoArms('mean', 'biases'),
  });
  const errors = new Map<string, number[]>();
  for (let n = 400; n < 1600; n += 100) {
    const batch = rated.slice(n, n + 100);
    const { predictions } = await client.rate(batch, { returnPredictions: ['mean', 'biases'] });
    for (const { model, values } of predictions) {
      const absolute = values.map((value, k) => Math.abs(value - Number(batch[k].value)));
      errors.set(model, [...(errors.get(model) ?? []), ...absolute]);
    }
  }
  for (const user of ['user-1', 'user-2', 'user-3', 'user-4'])
    assert.deepEqual((await client.recommend(user)).arm, 'trial/control');
  const { report } = await getExperiment(client, 'trial');
  const [, treatment] = report?.arms ?? [];
  const difference = treatment.differences.find(({ metric }) => metric === 'mae');
  const meanOf = (values: readonly number[] = []) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const expected = meanOf(errors.get('biases')) - meanOf(errors.get('mean'));
  assert.ok(Math.abs((difference?.value ?? Number.NaN) - expected) < 1e-9);
  // Two arms with users of their own would need many more: what both miss alike cancels.
  const [lower = Number.NaN, upper = Number.NaN] = [difference?.lower, difference?.upper];
  assert.ok(lower > 0 || upper < 0, `${expected} within ${lower} .. ${upper}`);
  assert.equal(Number(difference?.count), 1200);
  assert.equal(report?.winner, upper < 0 ? 'treatment' : 'control');
});
