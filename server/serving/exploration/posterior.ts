import type { Random } from '../../../plugins/contract/index.ts';
import type { Drawn, Field } from './field.ts';
import { PosteriorPlaces } from './posterior-places.ts';

/** Scores of an item at quantiles of what is believed of it, as `PosteriorSampling.quantiles`. */
export type Quantiles = (row: number, z: Float64Array, out: Float64Array) => void;

/** Items of which scores are drawn, for a list of `count`; the others would hardly get a place. */
const POOL_MIN = 50;
const POOL_FACTOR = 4;

/**
 * What is believed of a score is taken as this many values, all as likely, so that chances are sums and exact: the quantiles in
 * the middle of as many equal parts.
 */
const LEVELS_BITS = 4;
const LEVELS = 2 ** LEVELS_BITS;
const NORMAL = Float64Array.from({ length: LEVELS }, (_, level) => normalQuantile((level + 0.5) / LEVELS));

/** The best of the drawn scores; of equal ones a draw decides. */
export function drawByPosterior(quantiles: Quantiles, random: Random, field: Field, count: number): Drawn[] {
  const pool = field.best(Math.max(POOL_MIN, POOL_FACTOR * count));
  const values = new Float64Array(LEVELS * pool.length);
  for (const [n, { position }] of pool.entries()) {
    quantiles(field.rowOf(position), NORMAL, values.subarray(LEVELS * n, LEVELS * (n + 1)));
  }
  const drawn = pool.map(({ position }, n) => {
    const bits = random.next();
    return { position, n, score: values[LEVELS * n + (bits >>> (32 - LEVELS_BITS))], lot: (bits << LEVELS_BITS) >>> 0 };
  });
  drawn.sort((a, b) => b.score - a.score || b.lot - a.lot);
  const places = new PosteriorPlaces(values, LEVELS);
  return drawn
    .slice(0, count)
    .map(({ position, n, score }, place) => ({ position, score, chance: () => places.of(n, place) }));
}

/** By bisection of its distribution, which is as exact as doubles are here: it is done once. */
function normalQuantile(share: number): number {
  let [low, high] = [-9, 9];
  for (let n = 0; n < 60; n++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The share of a standard normal distribution below x: 1/2 + phi(x) (x + x³/3 + x⁵/15 + …) (Marsaglia 2004). */
function normalShare(x: number): number {
  let sum = x;
  let term = x;
  for (let n = 3; Math.abs(term) > 1e-18; n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
