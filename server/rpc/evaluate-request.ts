import type { EvaluateRequest } from '../../proto/gen/accrete/v1/evaluation.ts';
import type { Model } from '../models/model.ts';
import type { Serving } from '../serving/serving.ts';
import type { Fields } from './fields.ts';

/** What all protocols of Evaluate have in common in their requests. */

export const MODELS_MAX = 16;
const METRICS_MAX = 32;

/** The models that a request names; every AVAILABLE one when it names none. Throws MODEL_NOT_FOUND, MODEL_FAILED. */
export function modelsOf({ models }: EvaluateRequest, { directory }: Serving): readonly Model[] {
  const names = [...new Set(models)];
  return names.length === 0 ? directory.models : names.map((name) => directory.require(name));
}

export function refuseWeightMax({ weightMax }: EvaluateRequest, fields: Fields): void {
  if (weightMax !== undefined) fields.refuse('weight_max', 'is for OFF_POLICY: leave it out');
}

/** Refuses lists that are too long, and metrics that `known` does not know; `what` there is. */
export function checkLists(
  fields: Fields,
  { models, metrics }: EvaluateRequest,
  known: (metric: string) => boolean,
  what: string,
): void {
  fields.count('models', models, MODELS_MAX);
  fields.count('metrics', metrics, METRICS_MAX);
  metrics.forEach((metric, n) => {
    if (!known(metric)) fields.refuse(`metrics[${n}]`, `is ${JSON.stringify(metric.slice(0, 80))}: ${what}`);
  });
}
