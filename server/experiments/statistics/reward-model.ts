import type { Log } from './off-policy.ts';

/** Observations of an item that the mean of all counts for. */
const PRIOR = 100;
const FOLDS = 2;

/** What is expected of an item, by one who has not seen `unit`. */
export type Expectation = (unit: number, item: number) => number;

/**
 * Expected rewards for the doubly robust estimate: an item's mean reward, drawn towards the mean of all where it was shown
 * seldom. Each half of the units is told of by the other half (cross-fitting, Chernozhukov et al. 2018), so that no reward
 * stands in its own expectation.
 */
export function expectRewards({ unit, reward }: Log, item: Uint32Array): Expectation {
  const items = item.reduce((last, one) => Math.max(last, one + 1), 0);
  const means = Array.from({ length: FOLDS }, (_, fold) => {
    const [sums, counts] = [new Float64Array(items), new Float64Array(items)];
    let [sum, count] = [0, 0];
    for (let n = 0; n < unit.length; n++) {
      if (unit[n] % FOLDS === fold) continue;
      sums[item[n]] += reward[n];
      counts[item[n]]++;
      sum += reward[n];
      count++;
    }
    const mean = count > 0 ? sum / count : 0;
    return { mean, of: sums.map((own, n) => (own + PRIOR * mean) / (counts[n] + PRIOR)) };
  });
  return (whose, of) => means[whose % FOLDS].of[of] ?? means[whose % FOLDS].mean;
}
