import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PairedDifference } from '../../../proto/gen/accrete/v1/metric.ts';
import { decide, verdictOf } from './decision.ts';

const difference = (model: string, metric: string, lower?: number, upper?: number, segment = '') =>
  PairedDifference.fromPartial({ model, baseline: 'mf', metric, lower, upper, segment });

test('a verdict is what the interval and the direction of the metric say', () => {
  const verdict = (metric: string, lower?: number, upper?: number) => verdictOf({ metric, lower, upper });
  assert.equal(verdict('rmse', -0.2, -0.1), 'better');
  assert.equal(verdict('rmse', 0.1, 0.2), 'worse');
  assert.equal(verdict('ndcg@10', 0.1, 0.2), 'better');
  assert.equal(verdict('ndcg@10', -0.2, -0.1), 'worse');
  assert.equal(verdict('novelty@10', 0.1, 0.2), 'higher');
  assert.equal(verdict('gini@5', -0.2, -0.1), 'lower');
  for (const [lower, upper] of [
    [-1, 1],
    [0, 1],
    [-1, 0],
    [0, 0],
  ] as const)
    assert.equal(verdict('auc', lower, upper), 'not to be told apart');
  assert.equal(verdict('auc'), 'unknown');
});

test('a model passes that is better by some metric and worse by none', () => {
  const { text, reasons } = decide([
    difference('a', 'rmse', -0.2, -0.1),
    difference('a', 'mrr', -1, 1),
    difference('a', 'gini@10', 1, 2),
    difference('b', 'rmse', -0.2, -0.1),
    difference('b', 'mrr', -2, -1),
    difference('c', 'rmse', -1, 1),
    difference('c', 'rmse', 1, 2, 'history:0'),
    difference('d', 'rmse', -0.2, -0.1),
    difference('d', 'mrr'),
    difference('e', 'mrr'),
  ]);
  assert.equal(text, 'Instead of mf take a: surely better by at least one metric, and worse by none.');
  assert.deepEqual(reasons, [
    'a against mf: better by rmse.',
    'b against mf: better by rmse; worse by mrr.',
    'c against mf: not to be told apart.',
    'd against mf: better by rmse; not known, of too few users, by mrr.',
    'e against mf: not known, of too few users, by mrr.',
  ]);
  assert.match(decide([difference('b', 'rmse', 1, 2)]).text, /^Keep mf: /);
  assert.match(decide([difference('b', 'gini@10', 1, 2)]).text, /^Nothing to decide: /);
  assert.match(decide([]).text, /^Nothing to decide: /);
});
