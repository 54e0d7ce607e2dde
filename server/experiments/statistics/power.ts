import { radiusAt } from './boundary.ts';
import { type ArmSums, figureOf } from './figures.ts';
import type { Metric } from './metric.ts';
import { normalQuantile } from './normal.ts';

export interface Wanted {
  /** The least difference worth finding, as a share of the figure. */
  readonly effect: number;
  /** Chance to find it. */
  readonly power: number;
  /** Of each comparison. */
  readonly alpha: number;
  /** Of the control and of the smallest arm. */
  readonly shares: readonly [number, number];
}

/**
 * The units of all arms that an experiment will need to find an effect, from recent traffic taken as one arm: those at which the
 * difference, in standard errors, is the boundary's width plus the quantile of the power. It takes the variance between units to be as it was; units that come back
 * through a longer experiment than the traffic looked at bring more each. Undefined while too few were seen.
 */
export function unitsFor(
  metric: Metric,
  recent: ArmSums,
  { effect, power, alpha, shares }: Wanted,
): number | undefined {
  const seen = figureOf(recent);
  if (!seen || !(seen.value > 0 && seen.variance > 0)) return undefined;
  const factor = metric.isRoot ? (1 + effect) ** 2 - 1 : effect;
  const wanted = (factor * seen.value) ** 2;
  const split = 1 / shares[0] + 1 / shares[1];
  const { units: n } = recent.moments;
  // The width at the tightest is the same wherever that is.
  const radius = radiusAt(1, { alpha, target: 1 });
  return Math.ceil((seen.variance * n * split * (radius + normalQuantile(power)) ** 2) / wanted);
}

/** Distinct units of the latest `seconds`. */
export interface Traffic {
  readonly seconds: number;
  readonly units: number;
}

/**
 * Seconds until so many units have come. The same units come back: units(t) = a t^b through the half and the whole of the
 * traffic looked at (Heaps 1978). Undefined where that says never, or more than a hundred times what was looked at.
 */
export function secondsFor(units: number, half: Traffic, whole: Traffic): number | undefined {
  if (!(half.units > 0 && whole.units > 0 && whole.seconds > half.seconds)) return undefined;
  const growth = Math.log(whole.units / half.units) / Math.log(whole.seconds / half.seconds);
  if (!(growth > 0)) return units <= whole.units ? whole.seconds : undefined;
  const seconds = whole.seconds * (units / whole.units) ** (1 / growth);
  return seconds <= 100 * whole.seconds ? seconds : undefined;
}
