import {
  AllocationMethod,
  type Experiment,
  type ExperimentReport,
  type GetExperimentResponse,
} from '../../proto/gen/accrete/v1/experiment.ts';
import type { MetricRow, PairedDifference } from '../../proto/gen/accrete/v1/metric.ts';
import { withInterval } from './metric-table.ts';
import { formatCount, type Table } from './output.ts';

/** Reports of experiments for people. */

const POINTS = 2 ** 32;

/** What decides: of lists that both arms drafted, whose items are chosen. */
export function comparedBy(experiment: Experiment | undefined): string {
  const isDrafted = experiment?.allocation === AllocationMethod.ALLOCATION_METHOD_INTERLEAVE;
  return isDrafted ? 'preference' : (experiment?.primaryMetric ?? '');
}

/** As `--arm` takes them. */
export function formatArms(experiment: Experiment | undefined): string {
  return (experiment?.arms ?? []).map(({ name, model, weight }) => `${name}=${model}:${weight}`).join(' ');
}

/** One row an arm: who saw it, what came of it, and the primary metric with its difference from the control. */
export function armTable({ experiment, report }: GetExperimentResponse): Table {
  const metric = comparedBy(experiment);
  const arms = report?.arms ?? [];
  const hasStopped = arms.some(({ stopReason }) => stopReason !== '');
  return {
    columns: [
      { name: 'arm' },
      { name: 'model' },
      ...['share', 'units', 'exposures', 'outcomes', metric, 'against control'].map((name) => ({
        name,
        align: 'right' as const,
      })),
      ...(hasStopped ? [{ name: 'stopped' }] : []),
    ],
    rows: arms.map(({ arm, units, exposures, outcomes, metrics, differences, stopReason }) => {
      const own = experiment?.arms.find(({ name }) => name === arm);
      const size = (own?.slices ?? []).reduce((sum, { from, to }) => sum + Number(to - from), 0);
      return [
        arm,
        own?.model ?? '',
        `${((100 * size) / POINTS).toFixed(1)}%`,
        formatCount(units),
        formatCount(exposures),
        formatCount(outcomes),
        withInterval(metrics.find((row) => row.metric === metric)),
        withInterval(differences.find((row) => row.metric === metric)),
        ...(hasStopped ? [stopReason] : []),
      ];
    }),
  };
}

/** Figures and differences by the names of arms: two may have the same model. */
export function figuresOf({ arms }: ExperimentReport): MetricRow[] {
  return arms.flatMap(({ arm, metrics }) => metrics.map((row) => ({ ...row, model: arm })));
}

export function differencesOf({ arms }: ExperimentReport): PairedDifference[] {
  const control = arms[0]?.arm ?? '';
  return arms.flatMap(({ arm, differences }) => differences.map((row) => ({ ...row, model: arm, baseline: control })));
}

/** What limits the conclusion, and what did not count. */
export function remarksOf(report: ExperimentReport): string[] {
  const counts = [
    ['outcomes came too late', report.lateOutcomes],
    ['outcomes were counted already', report.duplicateOutcomes],
    ['outcomes named no answer of this server', report.foreignOutcomes],
    ['exposures may be lost', report.lostExposures],
    ['outcomes are of lost exposures', report.lostOutcomes],
  ] as const;
  return [
    ...report.caveats.map((caveat) => `note: ${caveat}`),
    ...counts.filter(([, count]) => count > 0n).map(([what, count]) => `note: ${formatCount(count)} ${what}`),
  ];
}
