import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rmseDifference } from './paired.ts';

/** Ratings of `users` users, in turn. */
const USERS = 100;
const RATINGS = { count: 20 * USERS, user: Uint32Array.from({ length: 20 * USERS }, (_, n) => 1000 + (n % USERS)) };
const errors = (of: (n: number) => number) => Float64Array.from({ length: RATINGS.count }, (_, n) => of(n) ** 2);

test('the same errors differ by nothing, and so does every sample of users', () => {
  const same = errors((n) => 1 + (n % 7));
  assert.deepEqual(rmseDifference(RATINGS, [same, same]), { value: 0, interval: [0, 0] });
});

test('the difference is that of the two RMSE, within its interval', () => {
  const other = errors((n) => 1 + (n % 3));
  const one = errors((n) => 1 + (n % 3) + (n % USERS < USERS / 2 ? 0.1 : 0));
  const { value, interval } = rmseDifference(RATINGS, [one, other]);
  const rmse = (squared: Float64Array) => Math.sqrt(squared.reduce((sum, error) => sum + error, 0) / RATINGS.count);
  assert.equal(value, rmse(one) - rmse(other));
  assert(interval && interval[0] > 0 && interval[0] < value && interval[1] > value && interval[1] < 2 * value);
});
