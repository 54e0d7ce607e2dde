import type { Bounds } from './boundary.ts';
import type { Metric } from './metric.ts';

export interface Contender {
  readonly name: string;
  /** Of its difference from the control; undefined while too little is known. */
  readonly bounds: Bounds | undefined;
  readonly value: number;
}

export type Finding =
  | { readonly type: 'undecided' }
  /** An arm is better than the control, and the best of those by its figure; or the control is better than all others. */
  | { readonly type: 'winner'; readonly name: string; readonly isControl: boolean };

/** The α of each of the comparisons with the control, so that all hold together (Bonferroni). */
export function alphaOf(alpha: number, arms: number): number {
  return alpha / Math.max(1, arms - 1);
}

/** What the differences from the control say; `others` are without it. */
export function findingOf({ better }: Pick<Metric, 'better'>, control: string, others: readonly Contender[]): Finding {
  const sign = better === 'higher' ? 1 : -1;
  const isAbove = ({ bounds }: Contender) => bounds !== undefined && (sign > 0 ? bounds.lower > 0 : bounds.upper < 0);
  const isBelow = ({ bounds }: Contender) => bounds !== undefined && (sign > 0 ? bounds.upper < 0 : bounds.lower > 0);
  const best = others.filter(isAbove).sort((a, b) => sign * (b.value - a.value))[0];
  if (best) return { type: 'winner', name: best.name, isControl: false };
  if (others.length > 0 && others.every(isBelow)) return { type: 'winner', name: control, isControl: true };
  return { type: 'undecided' };
}
