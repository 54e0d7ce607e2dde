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

test('what was taken back is first again, and an event that carries a value is a rating', () => {
  const tally = new PrequentialTally('mf');
  const [x, click] = [rating('a', 'x', 5), { ...rating('a', 'y', 1), kind: 'click' }];
  const count = (...ratings: Parameters<PrequentialTally['add']>[0]) => {
    const before = tally.error.count;
    tally.add(
      ratings,
      ratings.map(() => 3),
    );
    return tally.error.count - before;
  };
  assert.equal(count(x, { ...x, retract: true }, x), 2);
  assert.equal(count({ ...click, value: undefined }), 0, 'a click alone is none');
  assert.equal(count(click, click, rating('a', 'y', 4)), 1);
  assert.equal(count({ ...click, retract: true }, rating('a', 'y', 4)), 0, 'the rating was set by another kind');
  assert.equal(count({ ...click, item: 'z' }, { ...click, item: 'z', retract: true }, { ...click, item: 'z' }), 2);
});
