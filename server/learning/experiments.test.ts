import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeExperiment } from '../experiments/making.ts';
import type { Deployment } from '../store/deployment.ts';
import { examineExperiment } from './experiments.ts';

const experiment = makeExperiment(
  {
    ...{ name: 'first', description: '', salt: 'first', learningScope: 'shared', unit: 'user', layer: '' },
    ...{ eligibleShare: 1, eligibleFilter: '', primaryMetric: 'conversion', guardRails: [] },
    ...{ attributionWindowMs: 0, allocation: 'thompson', allocationFloor: 0 },
    arms: ['a', 'b', 'c'].map((name) => ({ name, model: 'mf', weight: 1 })),
  },
  new Map(),
  0,
);

test('shares that were found for fewer arms than there are now change nothing', () => {
  const deployment = { experiments: new Map([['first', experiment]]) } as unknown as Deployment;
  const weigh = (weights: readonly number[]) =>
    examineExperiment({ type: 'experiment', how: 'weigh', name: 'first', weights }, deployment, {} as never);
  assert.deepEqual(weigh([0.2, 0.8]), { record: undefined, experiment });
  assert.ok(weigh([0.2, 0.4, 0.4]).record);
});
