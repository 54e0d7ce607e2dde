import { type Adjustment, NO_ADJUSTMENT } from './adjustment.ts';
import type { Estimate } from './boundary.ts';
import type { Moments, Weights } from './moments.ts';

/**
 * What a metric is, which says what its clock counts:
 * - mean: of observations, of which a unit has many: squared errors, ndcg, clicks by exposure. A unit's sum is of them, its
 *   count is how many they are; the clock counts observations.
 * - total: what a unit brings: a unit's count is 1, its sum is over its outcomes; the clock counts outcomes.
 * - share: of units to which it happened: a unit's count is 1, its sum 0 or 1; the clock counts those to whom it happened.
 */
export type MetricKind = 'mean' | 'total' | 'share';

/** One metric of one arm. */
export interface ArmSums {
  /** Of its units. Where shares of arms change, each observation is weighted by 1/(its arm's share when it was shown). */
  readonly moments: Moments;
  /** mean: of observations, total: of outcomes, unweighted; share: nothing is looked at. */
  readonly events: Events;
}

export interface Events {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

export const NO_EVENTS: Events = { count: 0, sum: 0, squares: 0 };

/** Equally large units that an arm must amount to before anything is said of it: with fewer the central limit theorem does not hold. */
const UNITS_MIN = 30;

/**
 * An arm's figure: the ratio of the sums over its units. Its variance is that between units, by linearisation (Deng et al.
 * 2018, "Applying the delta method in metric analytics"): Σ(sum - R count)²/(Σ count)², so that what one user does again
 * and again is one observation.
 */
export function figureOf(kind: MetricKind, arm: ArmSums): Estimate | undefined {
  const units = effectiveUnits(kind, arm);
  if (!(units >= UNITS_MIN)) return undefined;
  const value = arm.moments.sum / arm.moments.count;
  const variance = squareOf(arm, value, NO_ADJUSTMENT) / (arm.moments.units - 1) / arm.moments.units;
  return { value, variance, clock: clockOf(kind, [arm], 4 * variance), units };
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
  kind: MetricKind,
  arm: ArmSums,
  control: ArmSums,
  { factor = 1, adjustment = NO_ADJUSTMENT }: { readonly factor?: number; readonly adjustment?: Adjustment } = {},
): Estimate | undefined {
  const arms = [arm, control];
  const [[of, ofUnits], [to, toUnits]] = arms.map((one) => [one.moments, effectiveUnits(kind, one)] as const);
  if (!(Math.min(ofUnits, toUnits) >= UNITS_MIN)) return undefined;
  const value = adjusted(of, adjustment) - factor * adjusted(to, adjustment);
  const own = arms.map(
    (one) => squareOf(one, one.moments.sum / one.moments.count, adjustment) / (one.moments.units - 1),
  );
  const apart = [own[0] / of.units, (factor * factor * own[1]) / to.units];
  const mean = ((of.units * of.sum) / of.count + (to.units * to.sum) / to.count) / (of.units + to.units);
  const square = arms.reduce((sum, one) => sum + squareOf(one, mean, adjustment), 0) / (of.units + to.units - 1);
  const variance = Math.max(apart[0] + apart[1], square * (1 / of.units + (factor * factor) / to.units));
  return { value, variance, clock: clockOf(kind, arms, variance), units: satterthwaite(apart, [ofUnits, toUnits]) };
}

/**
 * The difference of two arms that were measured by the same events: of what each unit has of both. What is hard for both cancels
 * out. Here the clock counts events: how much two arms differ by one event is known only unit by unit.
 */
export function pairedDifference(moments: Moments): Estimate | undefined {
  const units = kish(moments, [0, 0, 1, 0, 0]);
  if (!(units >= UNITS_MIN)) return undefined;
  const value = moments.sum / moments.count;
  const variance = squareOf({ moments }, value, NO_ADJUSTMENT) / (moments.units - 1) / moments.units;
  return { value, variance, clock: moments.count, units };
}

/** The units that would say as much if all were as large (Kish 1965): by what they count, and by what there is to sum where that is not negative. */
function effectiveUnits(kind: MetricKind, { moments }: ArmSums): number {
  return kish(moments, kind === 'mean' ? [0, 0, 1, 0, 0] : [0, 1, 0, 0, 0]);
}

const kish = (moments: Moments, w: Weights) => moments.total(w) ** 2 / moments.product(w, w);

/** Degrees of freedom of a sum of two variances (Satterthwaite 1946). */
function satterthwaite(variances: readonly number[], units: readonly number[]): number {
  const sum = variances.reduce((all, one) => all + one, 0);
  return sum ** 2 / variances.reduce((all, one, n) => all + one ** 2 / (units[n] - 1), 0);
}

/** The sum behind an estimate is the estimate times the observations; two even arms of independent ones make it their number. */
function clockOf(kind: MetricKind, arms: readonly ArmSums[], variance: number): number {
  const observations = arms.reduce((sum, arm) => sum + observationsOf(kind, arm), 0);
  return (variance * observations * observations) / (4 * jumpOf(kind, arms));
}

function observationsOf(kind: MetricKind, { moments, events }: ArmSums): number {
  return kind === 'mean' ? events.count : moments.units;
}

/** The mean square of what one event adds to a unit's deviation; of shares so that the clock of a saturating one is c/(1 - c). */
function jumpOf(kind: MetricKind, arms: readonly ArmSums[]): number {
  const all = (of: (arm: ArmSums) => number) => arms.reduce((sum, arm) => sum + of(arm), 0);
  if (kind === 'share') return (1 - all(({ moments }) => moments.sum) / all(({ moments }) => moments.count)) ** 2;
  const count = all(({ events }) => events.count);
  const square = all(({ events }) => events.squares) / count;
  return kind === 'total' ? square : square - (all(({ events }) => events.sum) / count) ** 2;
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
