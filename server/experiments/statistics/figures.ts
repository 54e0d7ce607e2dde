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

/** Units that an arm needs before anything is said of it: with fewer the central limit theorem does not hold. */
export const UNITS_MIN = 30;

/**
 * An arm's figure: the ratio of the sums over its units. Its variance is that between units, by linearisation (Deng et al.
 * 2018, "Applying the delta method in metric analytics"): Σ(sum - R count)²/(Σ count)², so that what one user does again
 * and again is one observation.
 */
export function figureOf(kind: MetricKind, arm: ArmSums): Estimate | undefined {
  const { moments } = arm;
  if (!(moments.units >= UNITS_MIN && moments.count > 0)) return undefined;
  const variance = varianceOf(arm, NO_ADJUSTMENT);
  return { value: moments.sum / moments.count, variance, clock: clockOf(kind, [arm], 4 * variance) };
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
 */
export function differenceOf(
  kind: MetricKind,
  arm: ArmSums,
  control: ArmSums,
  { factor = 1, adjustment = NO_ADJUSTMENT }: { readonly factor?: number; readonly adjustment?: Adjustment } = {},
): Estimate | undefined {
  const [of, to] = [arm.moments, control.moments];
  if (!(Math.min(of.units, to.units) >= UNITS_MIN && of.count > 0 && to.count > 0)) return undefined;
  const value = adjusted(of, adjustment) - factor * adjusted(to, adjustment);
  const variance = varianceOf(arm, adjustment) + factor * factor * varianceOf(control, adjustment);
  return { value, variance, clock: clockOf(kind, [arm, control], variance) };
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

/** Between units, about the arm's own means. */
function varianceOf({ moments }: ArmSums, { bySum, byCount }: Adjustment): number {
  const { units, sum, count } = moments;
  const w: Weights = [0, 1, -sum / count, -bySum, -byCount];
  const total = moments.total(w);
  const square = Math.max(0, moments.product(w, w) - (total * total) / units);
  return ((units / (units - 1)) * square) / (count * count);
}
