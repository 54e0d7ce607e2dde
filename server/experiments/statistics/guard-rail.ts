import type { Adjustment } from './adjustment.ts';
import { boundsOf, type Confidence } from './boundary.ts';
import { type ArmSums, differenceOf } from './figures.ts';
import type { Metric } from './metric.ts';

/**
 * Whether an arm is worse than the control by more than `harmMax` of the control's figure, for sure: the bounds of its figure
 * minus (1 ± harmMax) times the control's leave 0 out on the bad side. They hold at all looks, so a good arm is stopped with
 * probability α at most, however often the rail is looked at. That a rail holds does not say that the arm does no harm.
 */
export function isBeyond(
  { better, isRoot }: Metric,
  arm: ArmSums,
  control: ArmSums,
  { harmMax, confidence, adjustment }: Rail,
): boolean {
  const share = better === 'lower' ? 1 + harmMax : Math.max(0, 1 - harmMax);
  const difference = differenceOf(arm, control, { factor: isRoot ? share * share : share, adjustment });
  const bounds = difference && boundsOf(difference, confidence);
  if (!bounds) return false;
  return better === 'lower' ? bounds.lower > 0 : bounds.upper < 0;
}

export interface Rail {
  readonly harmMax: number;
  readonly confidence: Confidence;
  readonly adjustment?: Adjustment;
}
