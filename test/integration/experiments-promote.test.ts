import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExperimentState } from '../../proto/gen/accrete/v1/experiment.ts';
import { createExperiment, getExperiment, promoteArm, twoArms } from '../support/experiments.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** PromoteArm: the guard judges the arm's model against the default one. */

test('the better arm becomes the default, and ends the experiment; it stays so; the worse one is refused', {
  skip: leftOut,
}, async (t) => {
  const models = [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf' }];
  const server = await TestServer.start(t, { ...TEST_CONFIG, models, defaultModel: 'mean' });
  const promote = (validateOnly = false) => promoteArm(server.client, 'first', 'treatment', validateOnly);
  await createExperiment(server.client, { name: 'first', arms: twoArms('mean', 'mf') });
  const few = await failureOf(promote());
  assert.equal(few.reason, 'TOO_FEW_EVENTS');
  const ratings = manyRatings(4000);
  for (let n = 0; n < ratings.length; n += 500) await server.client.rate(ratings.slice(n, n + 500));
  const judged = await promote(true);
  assert.equal(judged.promoted, false);
  assert.ok(judged.decision?.passed, judged.decision?.reason);
  assert.equal(judged.decision?.difference?.model, 'mf@1');
  const { experiment, promoted, previousModel, decision } = await promote();
  assert.ok(promoted, decision?.reason);
  assert.equal(previousModel, 'mean');
  assert.equal(experiment?.state, ExperimentState.EXPERIMENT_STATE_PROMOTED);
  assert.match(experiment?.stateReason ?? '', /^arm treatment was promoted: /);
  assert.equal((await server.client.getModel('mf')).model?.isDefault, true);
  assert.equal((await failureOf(promote())).reason, 'EXPERIMENT_ENDED');

  await createExperiment(server.client, { name: 'second', arms: twoArms('mf', 'mean') });
  const worse = await promoteArm(server.client, 'second', 'treatment');
  assert.deepEqual([worse.promoted, worse.decision?.passed], [false, false]);
  assert.equal(
    (await getExperiment(server.client, 'second')).experiment?.state,
    ExperimentState.EXPERIMENT_STATE_RUNNING,
  );

  await server.restart();
  assert.equal((await server.client.getModel('mf')).model?.isDefault, true);
  const { experiment: after } = await getExperiment(server.client, 'first');
  assert.deepEqual(after, experiment);
});
