import { Moments, type Weights } from './moments.ts';

/** What a unit's deviation is expected to be by its past: bySum (sumBefore - meanSum) + byCount (countBefore - meanCount). */
export interface Adjustment {
  readonly bySum: number;
  readonly byCount: number;
  readonly meanSum: number;
  readonly meanCount: number;
}

export const NO_ADJUSTMENT: Adjustment = { bySum: 0, byCount: 0, meanSum: 0, meanCount: 0 };

/** Of the regressors' variances: what is less correlated than this is taken for one. */
const SINGULAR = 1e-9;

/**
 * CUPED (Deng et al. 2013, "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data"):
 * what a unit did before the experiment, which no arm can have changed, explains a part of what it does; that part is taken
 * out of each arm's figure, and of the variance. By least squares over the units of all arms, each about its arm's figure, on
 * both what they had and how often; units of which nothing is known stand with 0.
 * It moves no estimate in expectation: in many runs the difference is the same with it and without.
 */
export function adjustmentOf(arms: readonly Moments[]): Adjustment {
  const all = new Moments();
  for (const arm of arms) all.addAll(arm);
  const { units } = all;
  if (units === 0) return NO_ADJUSTMENT;
  const [meanSum, meanCount] = [all.total(SUM) / units, all.total(COUNT) / units];
  const [a, b, d] = [within(arms, SUM, SUM), within(arms, SUM, COUNT), within(arms, COUNT, COUNT)];
  let [x, y] = [0, 0];
  for (const arm of arms) {
    if (!(arm.count > 0)) continue;
    const deviation: Weights = [0, 1, -arm.sum / arm.count, 0, 0];
    x += central(arm, SUM, deviation);
    y += central(arm, COUNT, deviation);
  }
  const determinant = a * d - b * b;
  if (determinant > SINGULAR * a * d)
    return { bySum: (d * x - b * y) / determinant, byCount: (a * y - b * x) / determinant, meanSum, meanCount };
  return { ...NO_ADJUSTMENT, bySum: a > 0 ? x / a : 0, meanSum };
}

const SUM: Weights = [0, 0, 0, 1, 0];
const COUNT: Weights = [0, 0, 0, 0, 1];

const within = (arms: readonly Moments[], w: Weights, v: Weights) =>
  arms.reduce((sum, arm) => sum + central(arm, w, v), 0);

/** The sum of products about the arm's means. */
function central(arm: Moments, w: Weights, v: Weights): number {
  return arm.units === 0 ? 0 : arm.product(w, v) - (arm.total(w) * arm.total(v)) / arm.units;
}
