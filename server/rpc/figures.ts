import type { MetricRow } from '../../proto/gen/accrete/v1/metric.ts';
import type { Model } from '../models/model.ts';

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
