import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DeepPartial, type Experiment, ExperimentState } from '../../proto/gen/accrete/v1/experiment.ts';
import { LearningScope } from '../../proto/gen/accrete/v1/model.ts';
import { linkName } from '../../server/store/link-chain.ts';
import type { Client } from '../support/client.ts';
import { createExperiment, promoteArm, twoArms } from '../support/experiments.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** PromoteArm of models that have others as inputs: what the guard finds is what the models said live. */

const stack = (name: string, inputs: string[], rankings: string[]) => ({
  name,
  plugin: 'stack',
  config: { rating: { inputs }, ranking: { inputs: rankings.map((model) => ({ model })) } },
});
const MF = { plugin: 'mf', config: { k: 8, sequence: { k: 8 } } };
/** `twin` is what the first version of `mf` is. */
const MODELS = ['stack', 'mf', 'twin', 'above'] as const;
const config = {
  ...TEST_CONFIG,
  models: [
    ...TEST_CONFIG.models,
    { name: 'mf', ...MF },
    { name: 'twin', ...MF },
    { name: 'biases', plugin: 'mf', config: { base: 'biases', k: 0, ranking: 'taste', replay: { count: 0 } } },
    stack('stack', ['mf', 'biases'], ['popularity', 'mf']),
    stack('above', ['stack', 'mean'], ['stack', 'popularity']),
  ],
  defaultModel: 'stack',
  evaluation: { rankEvery: 20 },
};
const WINDOW = 1000;
/** What is tolerated of a model that is worse. */
const guard = { windowEvents: WINDOW, margin: 1 };

type Said = Record<(typeof MODELS)[number], number[]>;

/** Rates `manyRatings` from one to another number; what each model expected is noted as squared errors. */
async function tell(client: Client, said: Said, from: number, to: number, recommendationId = ''): Promise<void> {
  const ratings = manyRatings(to, { users: 40 }).slice(from);
  for (let n = 0; n < ratings.length; n += 100) {
    const batch = ratings.slice(n, n + 100).map((each) => ({ ...each, recommendationId }));
    const { predictions } = await client.rate(batch, { returnPredictions: [...MODELS] });
    for (const { model, values } of predictions)
      said[model as keyof Said].push(...values.map((value, k) => ((batch[k].value as number) - value) ** 2));
  }
}

const nothing = (): Said => ({ stack: [], mf: [], twin: [], above: [] });

/** The figures of a judgement are those of what was said live of the last ratings. */
function assertLive({ decision }: Awaited<ReturnType<typeof promoteArm>>, live: string, arm: string, said: Said): void {
  const mean = (model: string) => {
    const last = said[model as keyof Said].slice(-WINDOW);
    return last.reduce((sum, loss) => sum + loss, 0) / last.length;
  };
  const { difference } = decision ?? {};
  assert.deepEqual(
    [difference?.baseline, difference?.model].map((name) => name?.split('@')[0]),
    [live, arm],
  );
  assert.equal(Number(difference?.count), WINDOW);
  const wanted = mean(arm) - mean(live);
  assert.notEqual(wanted, 0);
  assert(Math.abs((difference?.value ?? 9) - wanted) < 1e-12, `${live}, ${arm}: ${difference?.value}, not ${wanted}`);
}

const experiment = (
  control: string,
  arm: string,
  scope: LearningScope = LearningScope.LEARNING_SCOPE_SHARED,
): DeepPartial<Experiment> => ({
  name: `${control}-${arm}`,
  layer: `${control}-${arm}`,
  arms: twoArms(control, arm),
  learningScope: scope,
});

test('models with inputs are judged by what they said live, whatever their inputs went through, and promoted', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t, config);
  const said = nothing();
  const judge = (control: string, arm: string, more: DeepPartial<typeof guard> & { metric?: string } = {}) =>
    promoteArm(server.client, `${control}-${arm}`, 'treatment', true, { ...guard, ...more });
  await tell(server.client, said, 0, 2000);
  await server.client.createCheckpoint();
  await tell(server.client, said, 2000, 2500);
  // Takes something back, and edits, before the window.
  await server.client.rate([rating('u1', 'i2', 1), { ...rating('u2', 'i3', undefined), retract: true }]);
  await createExperiment(server.client, experiment('stack', 'mf'));
  await createExperiment(server.client, experiment('stack', 'above', LearningScope.LEARNING_SCOPE_SHADOW));
  await tell(server.client, said, 2500, 3000);
  // The one that both `stack` and `above` learn from gets another version within the window of those.
  const { result } = await server.client.fuse({ model: 'mf', guard: { margin: 1, windowEvents: WINDOW } });
  assert.ok(result.promoted, result.decision?.reason);
  await tell(server.client, said, 3000, 3500);
  const nested = await judge('stack', 'above');
  assertLive(nested, 'stack', 'above', said);
  const ranked = await judge('stack', 'above', { metric: 'ndcg@10' });
  assert.equal(Number(ranked.decision?.difference?.count), WINDOW / 20);
  // What is judged of an input is the version that serves now; who has it as an input learned from those that served then.
  await server.client.rollbackModel('mf', '1');
  assertLive(await judge('stack', 'mf'), 'stack', 'mf', { ...said, mf: said.twin });
  await tell(server.client, said, 3500, 4600);
  const input = await judge('stack', 'mf');
  assertLive(input, 'stack', 'mf', said);

  await server.stop();
  removeCheckpoints(server.data);
  await server.restart();
  assert.deepEqual(await judge('stack', 'mf'), input, 'without checkpoints');

  const promoted = await promoteArm(server.client, 'stack-mf', 'treatment', false, guard);
  assert.deepEqual(promoted.decision, input.decision);
  assert.deepEqual([promoted.promoted, promoted.previousModel], [true, 'stack'], promoted.decision?.reason);
  assert.equal(promoted.experiment?.state, ExperimentState.EXPERIMENT_STATE_PROMOTED);

  await createExperiment(server.client, experiment('mf', 'stack', LearningScope.LEARNING_SCOPE_ISOLATED));
  await tell(server.client, said, 4600, 4800);
  const back = await judge('mf', 'stack');
  assertLive(back, 'mf', 'stack', said);
  const again = await promoteArm(server.client, 'mf-stack', 'treatment', false, guard);
  assert.deepEqual([again.promoted, again.decision], [true, back.decision]);
  await server.restart();
  assert.equal((await server.client.getModel('stack')).model?.isDefault, true);
});

test('where the journal has its first records no more, they go on from a checkpoint that has the inputs', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t, { ...config, journal: { linkMiB: 1, keepMiB: 1 } });
  const { client, data } = server;
  const said = nothing();
  await createExperiment(client, experiment('stack', 'mf'));
  let from = 0;
  const learn = async (count: number) => {
    await tell(client, said, from, from + count, 'x'.repeat(64));
    from += count;
  };
  const hasBeginning = () => existsSync(join(data, 'journal', linkName(1)));
  while (hasBeginning() && from < 60_000) {
    await learn(6000);
    await client.createCheckpoint();
    await sleep(50);
  }
  assert.equal(hasBeginning(), false);
  await learn(600);
  assertLive(await promoteArm(client, 'stack-mf', 'treatment', true, guard), 'stack', 'mf', said);
});
