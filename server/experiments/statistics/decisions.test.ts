import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundsOf, CONFIDENCE, radiusAt } from './boundary.ts';
import { differenceOf } from './figures.ts';
import { isBeyond } from './guard-rail.ts';
import { Preference } from './interleaving.ts';
import { type Metric, reportDifference, reportFigure } from './metric.ts';
import { Moments } from './moments.ts';
import { secondsFor, unitsFor } from './power.ts';
import { Draws } from './testing/draws.ts';
import { alphaOf, findingOf } from './verdict.ts';

const CONVERSION: Metric = { better: 'higher', isRoot: false };
const RMSE: Metric = { better: 'lower', isRoot: true };

/** Units with one observation each, to whom it happened with that chance. */
function converted(draws: Draws, units: number, chance: number) {
  const moments = new Moments();
  for (let n = 0; n < units; n++)
    moments.add({ sum: draws.uniform() < chance ? 1 : 0, count: 1, sumBefore: 0, countBefore: 0 });
  return { moments, events: { count: units, sum: moments.sum, squares: moments.sum } };
}

test('the units that are said to be needed find the effect as often as they should', () => {
  const draws = new Draws(1);
  const recent = converted(draws, 20000, 0.2);
  const units = unitsFor(CONVERSION, recent, { effect: 0.1, power: 0.8, alpha: 0.05, shares: [0.5, 0.5] });
  assert(units);
  // Of two proportions: 2 (z + .84)² p(1 - p)/d² in each arm, where one look would need a z of 1.96.
  const z = radiusAt(CONFIDENCE.target, CONFIDENCE);
  const expected = (4 * (z + 0.8416) ** 2 * 0.16) / 0.02 ** 2;
  assert(Math.abs(units - expected) < 0.05 * expected, `${units}, not ${expected}`);
  let found = 0;
  const runs = 60;
  for (let run = 0; run < runs; run++) {
    const [to, of] = [0.2, 0.22].map((chance) => converted(draws, Math.round(units / 2), chance));
    const difference = differenceOf(of, to);
    if (difference && (boundsOf(difference, CONFIDENCE)?.lower ?? 0) > 0) found++;
  }
  assert(found >= 0.65 * runs && found <= 0.95 * runs, `${found} of ${runs}`);
});

test('units that come back make an experiment longer', () => {
  const [half, whole] = [
    { seconds: 50, units: 100 },
    { seconds: 100, units: 200 },
  ];
  assert.equal(secondsFor(1000, half, whole), 500);
  // Half as many new ones every time that the length doubles: units(t) = a t^.5
  assert.equal(Math.round(secondsFor(400, half, { seconds: 100, units: 100 * Math.SQRT2 }) ?? 0), 800);
  assert.equal(secondsFor(1000, half, { seconds: 100, units: 100 }), undefined);
  assert.equal(secondsFor(1e9, half, whole), undefined);
});

test('a rail stops what is worse by more than it allows, and that alone', () => {
  const draws = new Draws(2);
  const [control, slightly, much] = [0.3, 0.28, 0.2].map((chance) => converted(draws, 8000, chance));
  const rail = { harmMax: 0.1, confidence: { alpha: 0.05, target: 2000 } };
  assert.equal(isBeyond(CONVERSION, slightly, control, rail), false);
  assert.equal(isBeyond(CONVERSION, much, control, rail), true);
  assert.equal(isBeyond({ ...CONVERSION, better: 'lower' }, much, control, rail), false);
  assert.equal(isBeyond({ ...CONVERSION, better: 'lower' }, control, much, rail), true);
  // Of roots: 1.3 times the mean is 1.14 times the root.
  const rooted = { ...CONVERSION, better: 'lower', isRoot: true } as const;
  const worse = converted(draws, 8000, 0.3 * 1.3);
  assert.equal(isBeyond(rooted, worse, control, { ...rail, harmMax: 0.05 }), true);
  assert.equal(isBeyond(rooted, worse, control, { ...rail, harmMax: 0.14 }), false);
});

test('the winner is better than the control for sure, and the best of those', () => {
  const one = (name: string, value: number, lower: number, upper: number) => ({
    name,
    value,
    bounds: { lower, upper },
  });
  const [good, better, open] = [one('good', 2, 1, 3), one('better', 3, 1, 5), one('open', 4, -1, 9)];
  assert.deepEqual(findingOf(CONVERSION, 'a', [good, better, open]), {
    type: 'winner',
    name: 'better',
    isControl: false,
  });
  assert.deepEqual(findingOf(CONVERSION, 'a', [open]), { type: 'undecided' });
  assert.deepEqual(findingOf(RMSE, 'a', [good, better]), { type: 'winner', name: 'a', isControl: true });
  assert.deepEqual(findingOf(RMSE, 'a', [good, open]), { type: 'undecided' });
  assert.deepEqual(findingOf(RMSE, 'a', [{ name: 'b', value: 0, bounds: undefined }]), { type: 'undecided' });
  assert.equal(alphaOf(0.05, 5), 0.0125);
});

test('roots are reported as roots, and leave 0 out where the means do', () => {
  const estimate = { value: 0.81, variance: 1, clock: 1, units: 100 };
  const figure = reportFigure(RMSE, estimate, { lower: -0.1, upper: 1 });
  assert.deepEqual(figure, { value: 0.9, bounds: { lower: 0, upper: 1 } });
  const difference = reportDifference(RMSE, { value: 1 - 0.81 }, { lower: 0.019, upper: 0.361 }, [1, 0.81]);
  assert(Math.abs(difference.value - 0.1) < 1e-12 && Math.abs((difference.bounds?.lower ?? 0) - 0.01) < 1e-12);
});

test('clicks of one list tell which items are preferred, by user', () => {
  const draws = new Draws(5);
  const preference = new Preference();
  for (let unit = 0; unit < 400; unit++) {
    let [arm, control] = [0, 0];
    for (let click = 0; click < 5; click++) draws.uniform() < 0.6 ? arm++ : control++;
    preference.add({ arm, control });
  }
  preference.add({ arm: 0, control: 0 });
  const { estimate } = preference;
  assert(estimate && Math.abs(estimate.value - 0.2) < 0.06);
  assert(Math.abs(estimate.variance - (4 * 0.24) / 2000) < 1e-4 && Math.abs(estimate.clock - 2000) < 300);
  const bounds = boundsOf(estimate, { alpha: 0.05, target: 2000 });
  assert(bounds && bounds.lower > 0 && bounds.upper < 0.4);
});
