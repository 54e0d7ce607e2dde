import { triangle } from './tables.ts';

/** The kernels in plain TypeScript, item by item in their order. */

const SHAPE_MIN = 0.05;

/** What exposures of an item came to. */
export interface Counts {
  readonly shown: number;
  readonly earned: number;
}

/** What is known of all items. */
export interface Known {
  readonly prior: number;
  readonly rate: number;
}

/** Whose taste: what was learned of a user, or, of a stranger, the ridge. */
export type Taste = { readonly weights: Float64Array; readonly inverse: Float64Array } | { readonly ridge: number };

function earning({ shown, earned }: Counts, { prior, rate }: Known): { mean: number; shape: number } {
  const shape = prior * rate + earned;
  return { mean: shape / (prior + shown), shape: Math.max(SHAPE_MIN, shape) };
}

export function scoreByItem(counts: Counts, known: Known, z: number, alpha: number): number {
  const { mean, shape } = earning(counts, known);
  const root = 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape));
  const quantile = root > 0 ? mean * root * root * root : 0;
  return Math.fround(mean + alpha * (quantile - mean));
}

export function believe(
  vector: Float32Array,
  counts: Counts,
  known: Known,
  taste: Taste,
): { mean: number; deviation: number } {
  const { mean, shape } = earning(counts, known);
  let [liked, spread] = [0, 0];
  for (const [a, value] of vector.entries()) {
    let sum = 0;
    if ('ridge' in taste) sum = value / taste.ridge;
    else {
      for (let b = 0; b <= a; b++) sum += taste.inverse[triangle(a) + b] * (b < a ? 2 : 1) * vector[b];
      liked += taste.weights[a] * value;
    }
    spread += value * sum;
  }
  const deviation = Math.sqrt((mean * mean) / shape + known.rate * Math.max(0, spread));
  return { mean: mean + liked, deviation };
}

export function scoreByTaste(vector: Float32Array, counts: Counts, known: Known, taste: Taste, reach: number): number {
  const { mean, deviation } = believe(vector, counts, known, taste);
  return Math.fround(mean + reach * deviation);
}
