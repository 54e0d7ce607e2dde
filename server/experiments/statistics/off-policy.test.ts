import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offPolicyFigures } from './off-policy.ts';
import { expectRewards } from './reward-model.ts';
import { skewedRatio } from './skewed-ratio.ts';
import { Draws } from './testing/draws.ts';

const ITEMS = 5;
/** What was shown more often is not what is clicked most. */
const SHOWN = [0.6, 0.2, 0.1, 0.06, 0.04];
const CLICKED = [0.05, 0.1, 0.2, 0.3, 0.4];
const WANTED = [0.1, 0.1, 0.2, 0.3, 0.3];
const TRUTH = WANTED.reduce((sum, chance, item) => sum + chance * CLICKED[item], 0);

function pick(draws: Draws, chances: readonly number[]): number {
  let left = draws.uniform();
  for (const [item, chance] of chances.entries()) {
    left -= chance;
    if (left < 0) return item;
  }
  return chances.length - 1;
}

function logOf(draws: Draws, places: number, propensities = SHOWN) {
  const item = Uint32Array.from({ length: places }, () => pick(draws, SHOWN));
  const log = {
    unit: Uint32Array.from(item.keys()),
    propensity: Float64Array.from(item, (one) => propensities[one]),
    reward: Float64Array.from(item, (one) => (draws.uniform() < CLICKED[one] ? 1 : 0)),
  };
  const expect = expectRewards(log, item);
  const target = {
    probability: Float64Array.from(item, (one) => WANTED[one]),
    expected: Float64Array.from(item, (one, n) => expect(n, one)),
    expectedOfTarget: Float64Array.from(item, (_, n) =>
      WANTED.reduce((sum, chance, one) => sum + chance * expect(n, one), 0),
    ),
  };
  return { log, target };
}

test('by hand: three places of two units', () => {
  const log = {
    unit: Uint32Array.of(0, 0, 1),
    propensity: Float64Array.of(0.5, 0.25, 0.5),
    reward: Float64Array.of(1, 0, 1),
  };
  const target = {
    probability: Float64Array.of(0.25, 0.25, 1),
    expected: Float64Array.of(0.5, 0.5, 0.5),
    expectedOfTarget: Float64Array.of(0.6, 0.6, 0.6),
  };
  // Weights .5, 1, 2.
  const all = offPolicyFigures(log, target, Number.POSITIVE_INFINITY);
  const close = (a: number, b: number) => assert(Math.abs(a - b) < 1e-12, `${a}, not ${b}`);
  close(all.ips.value, 2.5 / 3);
  close(all.snips.value, 2.5 / 3.5);
  close(all.doublyRobust.value, 0.6 + (0.25 - 0.5 + 1) / 3);
  close(all.effectiveSize, 3.5 ** 2 / 5.25);
  assert.equal(all.clippedShare, 0);
  assert.deepEqual([all.units, all.places], [2, 3]);
  const cut = offPolicyFigures(log, target, 1);
  close(cut.ips.value, 1.5 / 3);
  close(cut.clippedShare, 1 / 3);
  // The default cuts at the root of the number of places.
  close(offPolicyFigures(log, target).ips.value, (0.5 + Math.sqrt(3)) / 3);
});

test('each estimate is right on average, and its interval holds the truth as often as it says', () => {
  const draws = new Draws(1);
  const runs = 200;
  const sums = { ips: 0, snips: 0, doublyRobust: 0 };
  const held = { ips: 0, snips: 0, doublyRobust: 0 };
  for (let run = 0; run < runs; run++) {
    const { log, target } = logOf(draws, 400);
    const figures = offPolicyFigures(log, target);
    for (const name of ['ips', 'snips', 'doublyRobust'] as const) {
      const { value, bounds } = figures[name];
      sums[name] += value;
      if (bounds && bounds.lower <= TRUTH && TRUTH <= bounds.upper) held[name]++;
    }
  }
  for (const name of ['ips', 'snips', 'doublyRobust'] as const) {
    assert(Math.abs(sums[name] / runs - TRUTH) < 0.05 * TRUTH, `${name}: ${sums[name] / runs}, not ${TRUTH}`);
    assert(held[name] >= 0.91 * runs, `${name}: ${held[name]} of ${runs}`);
  }
});

test('expectations save what wrong propensities would spoil, but for what they alone are wrong about', () => {
  const { log, target } = logOf(
    new Draws(2),
    20_000,
    Array.from({ length: ITEMS }, () => 1 / ITEMS),
  );
  const { ips, doublyRobust } = offPolicyFigures(log, target);
  assert(Math.abs(ips.value - TRUTH) > 0.3 * TRUTH, `${ips.value}`);
  assert(Math.abs(doublyRobust.value - TRUTH) < 0.1 * TRUTH, `${doublyRobust.value}, not ${TRUTH}`);
});

test('where few units count for much, the interval reaches further up', () => {
  const draws = new Draws(3);
  const runs = 400;
  let [above, below, plainAbove] = [0, 0, 0];
  for (let run = 0; run < runs; run++) {
    const values = Float64Array.from({ length: 60 }, () => Math.exp(draws.normal()));
    const { value, bounds } = skewedRatio(values, new Float64Array(60).fill(1));
    const truth = Math.exp(0.5);
    assert(bounds);
    if (truth > bounds.upper) above++;
    if (truth < bounds.lower) below++;
    const deviation = Math.sqrt(values.reduce((sum, one) => sum + (one - value) ** 2, 0) / 59 / 60);
    if (truth > value + 1.96 * deviation) plainAbove++;
  }
  assert(above < 0.75 * plainAbove, `${above} and ${plainAbove} of ${runs}`);
  assert(above + below < 0.1 * runs, `${above} and ${below} of ${runs}`);
});
