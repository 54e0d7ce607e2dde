import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrequentialTally } from './prequential.ts';

const rating = (user: string, item: string, value: number) => ({
  line: 1,
  user,
  item,
  value,
  kind: '',
  retract: false,
  recommendationId: '',
});

test('the first rating of each user and item is counted, edits are not', () => {
  const tally = new PrequentialTally('mf');
  assert.deepEqual(tally.error, { model: 'mf', count: 0, rmse: undefined, mae: undefined });
  tally.add([rating('a', 'x', 5), rating('a', 'y', 1), rating('a', 'x', 2)], [4, 3, 5]);
  tally.pass([rating('b', 'x', 4)]);
  tally.add([rating('b', 'x', 1), rating('ax', '', 3)], [4, 3]);
  assert.deepEqual(tally.error, { model: 'mf', count: 3, rmse: Math.sqrt(5 / 3), mae: 1 });
});

test('what was taken back is first again, and events of a kind are no ratings', () => {
  const tally = new PrequentialTally('mf');
  const click = { ...rating('a', 'y', 1), kind: 'click' };
  tally.add([rating('a', 'x', 5), { ...rating('a', 'x', 5), retract: true }, click, rating('a', 'x', 2)], [4, 3, 3, 4]);
  assert.deepEqual(tally.error, { model: 'mf', count: 2, rmse: Math.sqrt(5 / 2), mae: 1.5 });
});
