import type { UnitSum, Units } from '../memory/ledger/units.ts';
import { RANK_CUTOFF } from '../models/prequential.ts';
import type { Confidence } from './statistics/boundary.ts';
import type { Metric } from './statistics/metric.ts';

/** The metrics of experiments: what each is to the statistics, and where the ledger has it. */
export interface ExperimentMetric extends Metric {
  readonly name: string;
  /** What a unit has: what is summed, and what it is divided by. */
  readonly sum: (units: Units, row: number) => number;
  readonly count: (units: Units, row: number) => number;
  /** The sum of the squares of what is summed. */
  readonly squares: (units: Units, row: number) => number;
  /** Whether a unit's ratings before its first answer tell something of it. */
  readonly hasBefore: boolean;
}

const ofSum = (name: UnitSum) => (units: Units, row: number) => units.sum(row, name);

export const EXPERIMENT_METRICS: readonly ExperimentMetric[] = [
  {
    name: 'conversion',
    better: 'higher',
    isRoot: false,
    sum: ofSum('converted'),
    count: ofSum('shown'),
    squares: ofSum('converted'),
    hasBefore: false,
  },
  {
    name: 'mean_value',
    better: 'higher',
    isRoot: false,
    sum: ofSum('value'),
    count: ofSum('valued'),
    squares: ofSum('valueSquares'),
    hasBefore: true,
  },
  {
    name: 'rmse',
    better: 'lower',
    isRoot: true,
    sum: ofSum('squaredError'),
    count: ofSum('errors'),
    squares: ofSum('fourthError'),
    hasBefore: false,
  },
  {
    name: 'mae',
    better: 'lower',
    isRoot: false,
    sum: ofSum('absoluteError'),
    count: ofSum('errors'),
    squares: ofSum('squaredError'),
    hasBefore: false,
  },
  {
    name: `ndcg@${RANK_CUTOFF}`,
    better: 'higher',
    isRoot: false,
    sum: ofSum('gain'),
    count: ofSum('ranks'),
    squares: ofSum('gainSquares'),
    hasBefore: false,
  },
  {
    name: `hit_rate@${RANK_CUTOFF}`,
    better: 'higher',
    isRoot: false,
    sum: ofSum('hits'),
    count: ofSum('ranks'),
    squares: ofSum('hits'),
    hasBefore: false,
  },
];

/** Of lists that two arms drafted: whose items are chosen, from -1, the control's alone, to 1. */
export const PREFERENCE: Metric & { readonly name: string } = {
  name: 'preference',
  better: 'higher',
  isRoot: false,
};
/** Choices that it is known from are few: its interval is tightest at about so many. */
const PREFERENCE_TARGET = 300;
export const preferenceConfidence = (confidence: Confidence): Confidence => ({
  ...confidence,
  target: PREFERENCE_TARGET,
});

export const METRIC_NAMES: readonly string[] = EXPERIMENT_METRICS.map(({ name }) => name);

/** What is measured where answers are made, and not by outcomes. */
const SERVED_METRICS = ['latency_p99_ms', 'error_share'] as const;
export const RAIL_NAMES: readonly string[] = [...METRIC_NAMES, ...SERVED_METRICS];

export function findExperimentMetric(name: string): ExperimentMetric | undefined {
  return EXPERIMENT_METRICS.find((metric) => metric.name === name);
}
