import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clickRate, estimate, findOpenBandit, meanPolicy, uniform } from './open-bandit.ts';

const [random, bts] = [findOpenBandit('random'), findOpenBandit('bts')];
const skip = random.skip || bts.skip;

test('the click rate of each policy is within what the log of the other one says', { skip }, () => {
  assert(random.log && bts.log);
  const cases = [
    { from: bts.log, policy: uniform, truth: clickRate(random.log) },
    { from: random.log, policy: meanPolicy(bts.log), truth: clickRate(bts.log) },
  ];
  for (const { from, policy, truth } of cases) {
    for (const clip of [undefined, Number.POSITIVE_INFINITY]) {
      const { effectiveSize, meanWeight, clippedShare, ...figures } = estimate(from, policy, clip);
      for (const name of ['ips', 'snips', 'doublyRobust'] as const) {
        const { value, bounds } = figures[name];
        assert(
          bounds && bounds.lower < truth && truth < bounds.upper,
          `${name}: ${JSON.stringify(bounds)}, truth ${truth}`,
        );
        assert(bounds.upper - bounds.lower < 2 * truth && value > 0.4 * truth && value < 1.6 * truth, name);
      }
      assert(effectiveSize > 500 && effectiveSize < 10_000 && clippedShare < 0.001);
      assert(Math.abs(meanWeight - 1) < 0.1);
    }
  }
});
