import type { Bounds, Estimate } from './boundary.ts';

/** What a metric is to the statistics. */
export interface Metric {
  readonly better: 'lower' | 'higher';
  /** True where the figure is the root of the mean, as "rmse" is. */
  readonly isRoot: boolean;
}

/** A figure as it is reported. */
export interface Reported {
  readonly value: number;
  readonly bounds: Bounds | undefined;
}

/** An arm's figure. */
export function reportFigure({ isRoot }: Metric, { value }: Estimate, bounds: Bounds | undefined): Reported {
  if (!isRoot) return { value, bounds };
  const root = (of: number) => Math.sqrt(Math.max(0, of));
  return { value: root(value), bounds: bounds && { lower: root(bounds.lower), upper: root(bounds.upper) } };
}

/** A difference of arms whose figures, before roots, are `of` and `to`: √a - √b = (a - b)/(√a + √b), and 0 stays where it is. */
export function reportDifference(
  { isRoot }: Metric,
  { value }: Pick<Estimate, 'value'>,
  bounds: Bounds | undefined,
  [of, to]: readonly [number, number],
): Reported {
  const sum = isRoot ? Math.sqrt(Math.max(0, of)) + Math.sqrt(Math.max(0, to)) : 1;
  if (!(sum > 0)) return { value: 0, bounds: undefined };
  return { value: value / sum, bounds: bounds && { lower: bounds.lower / sum, upper: bounds.upper / sum } };
}
