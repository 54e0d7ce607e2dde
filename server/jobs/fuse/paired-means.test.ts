import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../plugins/contract/index.ts';
import { Meter } from '../meter.ts';
import { PairedMeans } from './paired-means.ts';

const meter = new Meter(() => {});
const minus = (live: number, candidate: number) => candidate - live;

test('means weigh every event alike, and users are drawn with all of theirs', () => {
  // User 7 has three events, user 2 one: samples are 7 7, 7 2 and 2 2.
  const scores = { user: [7, 2, 7, 7], live: [1, 4, 1, 1], candidate: [2, 4, 3, 4] };
  const means = new PairedMeans(scores, 1, meter);
  assert.deepEqual([means.count, means.userCount, means.live, means.candidate], [4, 2, 1.75, 3.25]);
  assert.deepEqual(means.estimate(minus), { value: 1.5, interval: { lower: 0, upper: 2 } });
});

test('what is common to both cancels out', () => {
  const random = new Random();
  random.key(3, 0);
  const user = Array.from({ length: 500 }, (_, n) => n % 50);
  const live = user.map((u) => u + random.below(100));
  const means = new PairedMeans({ user, live, candidate: live.map((loss) => loss + 1) }, 1, meter);
  const { interval } = means.estimate(minus);
  assert.ok(interval && interval.lower > 0.999 && interval.upper < 1.001);
  const own = means.estimate((mean) => mean).interval;
  assert.ok(own && own.upper - own.lower > 5);
});

test('one user alone has no interval', () => {
  const means = new PairedMeans({ user: [5, 5], live: [1, 2], candidate: [1, 3] }, 1, meter);
  assert.deepEqual(means.estimate(minus), { value: 0.5, interval: undefined });
});

test('equal seeds give equal intervals', () => {
  const user = Array.from({ length: 60 }, (_, n) => n % 20);
  const scores = { user, live: user.map((u) => u * u), candidate: user.map((u) => 3 * u) };
  const of = (seed: number) => new PairedMeans(scores, seed, meter).estimate(minus);
  assert.deepEqual(of(1), of(1));
  assert.notDeepEqual(of(1), of(2));
});
