import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../plugins/contract/index.ts';
import { Meter } from '../meter.ts';
import { Bootstrap, type UserSums } from './bootstrap.ts';

const meter = new Meter(() => {});
const mean = ([only]: readonly number[]) => only;

/** Users with one observation each. */
function usersOf(values: readonly number[], segmentOf: (user: number) => number = () => 0): UserSums {
  return {
    userCount: values.length,
    seriesCount: 1,
    segmentCount: 2,
    segment: Uint8Array.from(values, (_, user) => segmentOf(user)),
    observations: new Float64Array(values.length).fill(1),
    sums: Float64Array.from(values),
  };
}

test('of many users the interval is that of the normal approximation', () => {
  const random = new Random();
  random.key(5, 0);
  const values = Array.from({ length: 2000 }, () => random.below(1000) / 1000);
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length);
  const half = (1.96 * deviation) / Math.sqrt(values.length);
  const interval = new Bootstrap(usersOf(values), 1, meter).interval([0], 2, mean);
  assert(interval);
  // A bound of 1,000 resamples strays by about a twentieth of the half width.
  assert(Math.abs(interval.lower - (average - half)) < 0.2 * half, `${interval.lower}, not ${average - half}`);
  assert(Math.abs(interval.upper - (average + half)) < 0.2 * half, `${interval.upper}, not ${average + half}`);
});

test('a segment rests on its own users, and all on all', () => {
  const users = usersOf(
    Array.from({ length: 200 }, (_, user) => user % 2),
    (user) => user % 2,
  );
  const bootstrap = new Bootstrap(users, 1, meter);
  assert.deepEqual(bootstrap.interval([0], 0, mean), { lower: 0, upper: 0 });
  assert.deepEqual(bootstrap.interval([0], 1, mean), { lower: 1, upper: 1 });
  const all = bootstrap.interval([0], 2, mean);
  assert(all && all.lower > 0.4 && all.lower < 0.5 && all.upper > 0.5 && all.upper < 0.6);
});

test('users weigh by their observations, and samples without any count for nothing', () => {
  const users: UserSums = {
    userCount: 2,
    seriesCount: 2,
    segmentCount: 2,
    segment: Uint8Array.of(0, 1),
    observations: Float64Array.of(9, 1),
    sums: Float64Array.of(9, 18, 0, 5),
  };
  const bootstrap = new Bootstrap(users, 1, meter);
  // One user twice, the other twice, or each once: 1, 0 and .9.
  assert.deepEqual(bootstrap.interval([0], 2, mean), { lower: 0, upper: 1 });
  assert.deepEqual(bootstrap.interval([0], 0, mean), { lower: 1, upper: 1 });
  // Of the same samples: the difference of two series of one user is always the same.
  assert.deepEqual(
    bootstrap.interval([1, 0], 0, ([a, b]) => a - b),
    { lower: 1, upper: 1 },
  );
});

test('equal seeds, equal intervals', () => {
  const users = usersOf(Array.from({ length: 50 }, (_, user) => user * user));
  const of = (seed: number) => new Bootstrap(users, seed, meter).interval([0], 2, mean);
  assert.deepEqual(of(3), of(3));
  assert.notDeepEqual(of(3), of(4));
});
