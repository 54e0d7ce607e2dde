import type { EvaluationReport } from '../../proto/gen/accrete/v1/evaluation.ts';
import type { MetricRow, PairedDifference } from '../../proto/gen/accrete/v1/metric.ts';
import { formatCount, formatFigure, type Table } from './output.ts';

/** One row a model and metric: the figure over everything, and over the latest events alone. */
export function metricTable(rows: readonly MetricRow[]): Table {
  const pairs = Map.groupBy(rows, ({ model, metric, segment }) => JSON.stringify([model, metric, segment]));
  return {
    columns: [
      { name: 'model' },
      { name: 'metric' },
      ...['total', 'total count', 'window', 'window count'].map((name) => ({ name, align: 'right' as const })),
    ],
    rows: [...pairs.values()].map((pair) => {
      const [{ model, metric, segment }] = pair;
      const cells = ['total', 'window'].flatMap((window) => figure(pair.find((row) => row.window === window)));
      return [model, segment === '' ? metric : `${metric} ${segment}`, ...cells];
    }),
  };
}

/** One row a model, metric and part of the observations, of a protocol that has no sliding window. */
export function reportTable(rows: readonly MetricRow[]): Table {
  return {
    columns: [
      { name: 'model' },
      { name: 'metric' },
      { name: 'segment' },
      { name: 'value', align: 'right' },
      { name: 'count', align: 'right' },
    ],
    rows: rows.map((row) => [row.model, row.metric, row.segment || 'all', ...figure(row)]),
  };
}

/** What a report does not have, in words. */
export function gapsOf({ failures, missing }: Pick<EvaluationReport, 'failures' | 'missing'>): string[] {
  return [
    ...failures.map(({ model, reason }) => `${model} has no figures: ${reason}`),
    ...missing.map(({ model, metric, reason }) => `${model} has no ${metric}: ${reason}`),
  ];
}

/** How the models differ on the same observations, part by part. */
export function differenceTable(differences: readonly PairedDifference[]): Table {
  return {
    columns: [
      { name: 'model' },
      { name: 'against' },
      { name: 'metric' },
      { name: 'segment' },
      { name: 'difference', align: 'right' },
      { name: 'count', align: 'right' },
    ],
    rows: differences.map((difference) => {
      const { model, baseline, metric, segment } = difference;
      return [model, baseline, metric, segment || 'all', ...figure(difference)];
    }),
  };
}

/** A figure and the number of observations. */
function figure(
  row: Pick<MetricRow, 'value' | 'lower' | 'upper' | 'count'> | undefined,
): [value: string, count: string] {
  return [withInterval(row), row ? formatCount(row.count) : ''];
}

/** A figure, with its 95% interval where there is one. */
export function withInterval(row: Pick<MetricRow, 'value' | 'lower' | 'upper'> | undefined): string {
  if (!row) return '';
  const { value, lower, upper } = row;
  if (lower === undefined || upper === undefined) return formatFigure(value);
  return `${formatFigure(value)} [${formatFigure(lower)}, ${formatFigure(upper)}]`;
}
