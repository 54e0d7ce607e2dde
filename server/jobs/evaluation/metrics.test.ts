import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RANK_MISS } from '../../models/prequential.ts';
import { findMetric } from './metrics.ts';

const scores = (name: string, ranks: readonly number[]) => ranks.map((rank) => findMetric(name)?.score(0, rank));

test('rankings', () => {
  assert.deepEqual(scores('hit_rate@3', [1, 3, 4, RANK_MISS]), [1, 1, 0, 0]);
  assert.deepEqual(scores('ndcg@3', [1, 3, 4, RANK_MISS]), [1, 0.5, 0, 0]);
  assert.deepEqual(scores('mrr', [1, 4, RANK_MISS]), [1, 0.25, 0]);
});

test('errors', () => {
  const [rmse, mae] = [findMetric('rmse'), findMetric('mae')];
  assert.deepEqual([rmse?.score(-3, 1), rmse?.figure(9), mae?.score(-3, 1), mae?.figure(9)], [9, 3, 3, 9]);
});

test('cut-offs from 1 to 100, and no other names', () => {
  for (const name of ['hit_rate@1', 'hit_rate@100', 'ndcg@37']) assert.equal(findMetric(name)?.name, name);
  for (const name of [
    'hit_rate@0',
    'hit_rate@101',
    'ndcg@010',
    'ndcg',
    'ndcg@',
    'hit_rate@1e1',
    'recall@10',
    'RMSE',
    '',
  ])
    assert.equal(findMetric(name), undefined, name);
});
