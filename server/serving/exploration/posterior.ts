import type { Random } from '../../../plugins/contract/index.ts';
import { normalQuantile } from '../../experiments/statistics/normal.ts';
import type { Drawn, Field } from './field.ts';
import { PosteriorPlaces } from './posterior-places.ts';

/** Scores of items at quantiles of what is believed of each, as `PosteriorSampling.quantiles`. */
export type Quantiles = (rows: Uint32Array, z: Float64Array, out: Float64Array) => void;

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
  const rows = new Uint32Array(pool.length);
  for (let n = 0; n < pool.length; n++) rows[n] = field.rowOf(pool[n].position);
  quantiles(rows, NORMAL, values);
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
