import type { Bounds } from './boundary.ts';

/**
 * Bounds of a quantile that hold at all looks together: Howard & Ramdas 2022, "Sequential estimation of quantiles with
 * applications to A/B testing and best-arm identification", (their bound for one quantile): the sample's quantiles at p ± f with
 * f = 1.5 √(p(1 - p)l) + .8 l and l = (1.4 ln ln(2.1 n) + ln(10/α))/n. Observations count as independent of each other.
 *
 * `counts`: of observations, by bucket; `edges`: the upper end of each. Undefined while a bound lies beyond all observations.
 */
export function quantileBounds(
  counts: readonly number[],
  edges: readonly number[],
  p: number,
  alpha: number,
): Bounds | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total < 2) return undefined;
  const l = (1.4 * Math.log(Math.log(2.1 * total)) + Math.log(10 / alpha)) / total;
  const f = 1.5 * Math.sqrt(p * (1 - p) * l) + 0.8 * l;
  if (p - f <= 0 || p + f >= 1) return undefined;
  return { lower: at(counts, edges, (p - f) * total, 'lower'), upper: at(counts, edges, (p + f) * total, 'upper') };
}

/** The end of the bucket with the observation of that rank: the lower end bounds from below, the upper end from above. */
function at(counts: readonly number[], edges: readonly number[], rank: number, end: 'lower' | 'upper'): number {
  let seen = 0;
  for (const [bucket, count] of counts.entries()) {
    seen += count;
    if (seen >= rank) return end === 'upper' ? edges[bucket] : (edges[bucket - 1] ?? 0);
  }
  return edges[edges.length - 1];
}
