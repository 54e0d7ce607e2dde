import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundsOf, CONFIDENCE, type Estimate, radiusAt } from './boundary.ts';
import { Draws } from './testing/draws.ts';

const estimate = (value: number, clock: number, units = 1e9): Estimate => ({ value, variance: 1, clock, units });

test('the boundary is that of the normal mixture, and tightest where it is to be', () => {
  // Robbins 1970: the mixture of exp(θB - θ²V/2) over θ ~ N(0, 1/ρ) is 1/α on it.
  for (const clock of [10, 300, 2000, 1e6]) {
    const b = radiusAt(clock, CONFIDENCE) * Math.sqrt(clock);
    const mixture = (rho: number) => Math.sqrt(rho / (clock + rho)) * Math.exp((b * b) / (2 * (clock + rho)));
    const rho = rhoBy(CONFIDENCE.target);
    assert(Math.abs(mixture(rho) * CONFIDENCE.alpha - 1) < 1e-9, `${clock}`);
  }
  const at = (share: number) => radiusAt(share * CONFIDENCE.target, CONFIDENCE);
  assert(at(1) < at(1.05) && at(1) < at(0.95));
  assert(at(1) < 3.04 && at(1 / 3) < 1.08 * at(1) && at(10) < 1.08 * at(1));
});

/** By halving: where x - ln(1 + x) = 2 ln(1/α), x = target/ρ. */
function rhoBy(target: number): number {
  let [low, high] = [1, 100];
  for (let n = 0; n < 100; n++) {
    const x = (low + high) / 2;
    if (x - Math.log1p(x) < 2 * Math.log(1 / CONFIDENCE.alpha)) low = x;
    else high = x;
  }
  return target / low;
}

test('bounds leave 0 out from where the boundary is, of few units later', () => {
  for (const clock of [5, 700, 1e5]) {
    const radius = radiusAt(clock, CONFIDENCE);
    assert((boundsOf(estimate(0, clock, 40), CONFIDENCE)?.upper ?? 0) > radius);
    const inside = boundsOf(estimate(0.999 * radius, clock), CONFIDENCE);
    const outside = boundsOf(estimate(1.001 * radius, clock), CONFIDENCE);
    assert(inside && outside && inside.lower < 0 && outside.lower > 0);
  }
});

test('of few units bounds are wider, by what Student adds', () => {
  const half = (units: number) => boundsOf(estimate(0, 2000, units), { alpha: 0.05, target: 2000 })?.upper ?? 0;
  // The same tail beyond the radius of 3.03: 3.41 of t with 30 degrees of freedom.
  assert(half(30) / half(1e9) > 1.08 && half(30) / half(1e9) < 1.15);
});

test('nothing is said of nothing', () => {
  for (const one of [
    estimate(1, 0),
    estimate(1, Number.NaN),
    estimate(1, Infinity),
    { ...estimate(1, 9), variance: 0 },
  ]) {
    assert.equal(boundsOf(one, CONFIDENCE), undefined);
  }
});

test('a walk that is looked at after every step leaves it at most as often as it may', () => {
  const draws = new Draws(7);
  let [left, once] = [0, 0];
  const runs = 200;
  for (let run = 0; run < runs; run++) {
    let [sum, out, outOnce] = [0, false, false];
    for (let n = 1; n <= 2000; n++) {
      sum += draws.normal();
      const value = sum / Math.sqrt(n);
      out ||= Math.abs(value) > radiusAt(n, CONFIDENCE);
      outOnce ||= n > 30 && Math.abs(value) > 1.96;
    }
    if (out) left++;
    if (outOnce) once++;
  }
  assert(left <= 0.05 * runs, `${left} of ${runs}`);
  assert(once > 0.3 * runs, `a bound for one look would be left by ${once} of ${runs} only`);
});
