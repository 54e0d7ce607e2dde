import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeExperiment } from '../experiments/making.ts';
import { WANTED } from '../experiments/testing/wanted.ts';
import type { Deployment } from '../store/deployment.ts';
import { examineExperiment } from './experiments.ts';

const arms = ['a', 'b', 'c'].map((name) => ({ name, model: 'mf', weight: 1 }));
const experiment = makeExperiment({ ...WANTED, arms, allocation: 'thompson' }, new Map(), 0);

test('an arm is promoted over the model that it was judged against, and over no other', () => {
  const deployment = { experiments: new Map([['first', experiment]]), defaultModel: 'mean' } as unknown as Deployment;
  const host = { teacher: { models: [{ name: 'mf', prequential: { quarantinedAt: 0 } }] } } as never;
  const promote = (over: string) =>
    examineExperiment(
      { type: 'experiment', how: 'promote', name: 'first', arm: 'b', over, reason: '' },
      deployment,
      host,
    );
  assert.ok(promote('mean').record);
  assert.throws(
    () => promote('popularity'),
    (error: unknown) => (error as { reason: string }).reason === 'MODEL_CHANGING',
  );
});

test('shares that were found for fewer arms than there are now change nothing', () => {
  const deployment = { experiments: new Map([['first', experiment]]) } as unknown as Deployment;
  const weigh = (weights: readonly number[]) =>
    examineExperiment({ type: 'experiment', how: 'weigh', name: 'first', weights }, deployment, {} as never);
  assert.deepEqual(weigh([0.2, 0.8]), { record: undefined, experiment });
  assert.ok(weigh([0.2, 0.4, 0.4]).record);
});
