import type { EvaluationSeries, MissingMetric } from '../../proto/gen/accrete/v1/evaluation.ts';
import type { MetricRow } from '../../proto/gen/accrete/v1/metric.ts';
import type { Model } from '../models/model.ts';
import type { Curve } from '../models/prequential.ts';

/** The live figures of a model as rows of a report; of all metrics when `metrics` is empty. */
export function metricRows(model: Model, metrics: readonly string[] = []): MetricRow[] {
  return model.prequential
    .figures()
    .filter(({ metric }) => metrics.length === 0 || metrics.includes(metric))
    .map(({ metric, window, value, count }) => ({
      model: model.name,
      metric,
      value,
      lower: undefined,
      upper: undefined,
      count: BigInt(count),
      window,
      segment: '',
    }));
}

/** Why a model has no live figures of these metrics, where it has none. */
export function missingOf(model: Model, metrics: readonly string[]): MissingMetric[] {
  const found = new Set(model.prequential.figures().map(({ metric }) => String(metric)));
  return metrics
    .filter((metric) => !found.has(metric))
    .map((metric) => ({ model: model.name, metric, reason: whyMissing(model, metric) }));
}

function whyMissing({ predicts }: Model, metric: string): string {
  if (metric !== 'rmse' && metric !== 'mae') return 'no rating was ranked yet: evaluation.rankEvery says which are';
  return predicts ? 'no rating was predicted yet' : 'it does not predict ratings';
}

/** Stretches of the sliding window, at most. */
const STRETCHES = 20;

/** How the live figures moved over the sliding window; of all metrics when `metrics` is empty. */
export function seriesOf(model: Model, metrics: readonly string[] = []): EvaluationSeries[] {
  return model.prequential
    .curves(STRETCHES)
    .filter(({ metric }) => metrics.length === 0 || metrics.includes(metric))
    .map((curve) => seriesMessage(model.name, curve));
}

export function seriesMessage(model: string, { metric, points }: Curve): EvaluationSeries {
  return { model, metric, points: points.map(({ count, value }) => ({ count: BigInt(count), value })) };
}
