import { type Adjustment, NO_ADJUSTMENT } from './adjustment.ts';
import type { Estimate } from './boundary.ts';
import type { Moments, Weights } from './moments.ts';

/**
 * One metric of one arm: a mean of observations, of which a unit has many: squared errors, ndcg, clicks by exposure. A unit's
 * sum is of them, its count is how many they are; the clock of an estimate counts observations.
 */
export interface ArmSums {
  /** Of its units. Where shares of arms change, each observation is weighted by 1/(its arm's share when it was shown). */
  readonly moments: Moments;
  /** Of its observations, unweighted. */
  readonly events: { readonly count: number; readonly sum: number; readonly squares: number };
}

/** Equally large units that an arm must amount to before anything is said of it: with fewer the central limit theorem does not hold. */
const UNITS_MIN = 30;

/**
 * An arm's figure: the ratio of the sums over its units. Its variance is that between units, by linearisation (Deng et al.
 * 2018, "Applying the delta method in metric analytics"): Σ(sum - R count)²/(Σ count)², so that what one user does again
 * and again is one observation.
 */
export function figureOf(arm: ArmSums): Estimate | undefined {
  const units = effectiveUnits(arm.moments);
  if (!(units >= UNITS_MIN)) return undefined;
  const value = arm.moments.sum / arm.moments.count;
  const variance = squareOf(arm, value, NO_ADJUSTMENT) / (arm.moments.units - 1) / arm.moments.units;
  return { value, variance, clock: clockOf([arm], 4 * variance), units };
}

/**
 * An arm's figure minus `factor` times the control's, adjusted for the time before (`adjustmentOf`).
 *
 * The bounds of its estimate hold at all looks, with units that come back, whose sums then grow: what stays fixed is a
 * unit's arm. Had no arm any effect, the paths of all units would be what they are whichever arm they got, and D, times
 * the number of observations, is a sum over units of a path times a draw of an arm: independent between units, close to a
 * Gaussian process M. Where a path's past deviation and its further one do not tend to oppose each other,
 * cov(M(s), M(t)) ≥ var(M(s)) for s < t: then, by Slepian's inequality (1962), M crosses a boundary no more probably than a
 * Brownian motion at the times var(M), and the boundary of boundary.ts holds. So the clock is var(M), not the number of
 * units: that stands still when the same users come back, while M still moves.
 *
 * The variance is the larger one of that of two arms by themselves and that of arms of which none has an effect: of a small
 * arm, which may not have met those who do most, the first alone is too small too often.
 */
export function differenceOf(
  arm: ArmSums,
  control: ArmSums,
  { factor = 1, adjustment = NO_ADJUSTMENT }: { readonly factor?: number; readonly adjustment?: Adjustment } = {},
): Estimate | undefined {
  const arms = [arm, control];
  const [[of, ofUnits], [to, toUnits]] = arms.map((one) => [one.moments, effectiveUnits(one.moments)] as const);
  if (!(Math.min(ofUnits, toUnits) >= UNITS_MIN)) return undefined;
  const value = adjusted(of, adjustment) - factor * adjusted(to, adjustment);
  const own = arms.map(
    (one) => squareOf(one, one.moments.sum / one.moments.count, adjustment) / (one.moments.units - 1),
  );
  const apart = [own[0] / of.units, (factor * factor * own[1]) / to.units];
  const mean = ((of.units * of.sum) / of.count + (to.units * to.sum) / to.count) / (of.units + to.units);
  const square = arms.reduce((sum, one) => sum + squareOf(one, mean, adjustment), 0) / (of.units + to.units - 1);
  const variance = Math.max(apart[0] + apart[1], square * (1 / of.units + (factor * factor) / to.units));
  return { value, variance, clock: clockOf(arms, variance), units: satterthwaite(apart, [ofUnits, toUnits]) };
}

/**
 * The difference of two arms that were measured by the same events: of what each unit has of both. What is hard for both cancels
 * out. Here the clock counts events: how much two arms differ by one event is known only unit by unit.
 */
export function pairedDifference(moments: Moments): Estimate | undefined {
  const units = effectiveUnits(moments);
  if (!(units >= UNITS_MIN)) return undefined;
  const value = moments.sum / moments.count;
  const variance = squareOf({ moments }, value, NO_ADJUSTMENT) / (moments.units - 1) / moments.units;
  return { value, variance, clock: moments.count, units };
}

/** The units that would say as much if all counted as much (Kish 1965). */
function effectiveUnits(moments: Moments): number {
  return moments.count ** 2 / moments.product(COUNT, COUNT);
}

const COUNT: Weights = [0, 0, 1, 0, 0];

/** Degrees of freedom of a sum of two variances (Satterthwaite 1946). */
function satterthwaite(variances: readonly number[], units: readonly number[]): number {
  const sum = variances.reduce((all, one) => all + one, 0);
  return sum ** 2 / variances.reduce((all, one, n) => all + one ** 2 / (units[n] - 1), 0);
}

/** The sum behind an estimate is the estimate times the observations; two even arms of independent ones make it their number. */
function clockOf(arms: readonly ArmSums[], variance: number): number {
  const all = (of: keyof ArmSums['events']) => arms.reduce((sum, { events }) => sum + events[of], 0);
  const count = all('count');
  // The mean square of what one observation adds to a unit's deviation.
  const jump = all('squares') / count - (all('sum') / count) ** 2;
  return (variance * count * count) / (4 * jump);
}

/** The ratio, less what the units' past explains of it. */
function adjusted(moments: Moments, { bySum, byCount, meanSum, meanCount }: Adjustment): number {
  const shift = moments.total([-bySum * meanSum - byCount * meanCount, 0, 0, bySum, byCount]);
  return (moments.sum - shift) / moments.count;
}

/** The sum over units of the squares of what each moves the arm's figure by, times their number; about the arm's mean. */
function squareOf({ moments }: Pick<ArmSums, 'moments'>, ratio: number, { bySum, byCount }: Adjustment): number {
  const { units, count } = moments;
  const past: Weights = [0, 0, 0, -bySum, -byCount];
  const centre = moments.total(past) / units;
  const v: Weights = [-centre, 1, -ratio, -bySum, -byCount];
  return (Math.max(0, moments.product(v, v)) * units * units) / (count * count);
}
