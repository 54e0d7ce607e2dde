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
export function expectRewards({ unit, reward }: Log, item: ArrayLike<number>): Expectation {
  const means = Array.from({ length: FOLDS }, (_, fold) => {
    const sums = new Map<number, { sum: number; count: number }>();
    let [sum, count] = [0, 0];
    for (let n = 0; n < unit.length; n++) {
      if (unit[n] % FOLDS === fold) continue;
      const own = sums.get(item[n]) ?? { sum: 0, count: 0 };
      own.sum += reward[n];
      own.count++;
      sums.set(item[n], own);
      sum += reward[n];
      count++;
    }
    const mean = count > 0 ? sum / count : 0;
    const of = new Map(Array.from(sums, ([one, own]) => [one, (own.sum + PRIOR * mean) / (own.count + PRIOR)]));
    return { mean, of };
  });
  return (whose, of) => means[whose % FOLDS].of.get(of) ?? means[whose % FOLDS].mean;
}
