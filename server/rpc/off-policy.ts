import {
  type EvaluateRequest,
  EvaluationProtocol,
  type EvaluationReport,
} from '../../proto/gen/accrete/v1/evaluation.ts';
import { OFF_POLICY_METRICS, type OffPolicyResult, type OffPolicyTask } from '../jobs/evaluation/off-policy.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Serving } from '../serving/serving.ts';
import { checkLists } from './evaluate-request.ts';
import { Fields } from './fields.ts';
import { figureMessage, specsOf } from './holdout.ts';
import { requireRange } from './revision-range.ts';

/** OFF_POLICY on the wire: what is asked of the job, and what it found. */

/** Throws INVALID_FIELD, REVISION_BEYOND_LAST, MODEL_NOT_FOUND, MODEL_FAILED. */
export function offPolicyTask(request: EvaluateRequest, serving: Serving): OffPolicyTask {
  const { metrics, holdout, negatives, weightMax, window } = request;
  const fields = new Fields();
  const known = (metric: string) => OFF_POLICY_METRICS.includes(metric);
  checkLists(fields, request, known, `OFF_POLICY has ${OFF_POLICY_METRICS.join(', ')}`);
  if (holdout) fields.refuse('holdout', 'is for HOLDOUT: leave it out');
  if (negatives !== 0) fields.refuse('negatives', 'is for RANKING_SAMPLED: leave it out');
  if (weightMax !== undefined && !(weightMax > 0 && Number.isFinite(weightMax)))
    fields.refuse('weight_max', `is ${weightMax}: send a number above 0, or nothing`);
  fields.check();
  const { models, inputs = [] } = specsOf(request, serving);
  const range = requireRange(window ?? { firstRevision: '', lastRevision: '' }, serving.revisions.learned, 'window.');
  return { ...range, models, inputs, metrics: metrics.length > 0 ? metrics : OFF_POLICY_METRICS, clip: weightMax };
}

export function offPolicyReport({ to }: OffPolicyTask, { figures, failures }: OffPolicyResult): EvaluationReport {
  return {
    protocol: EvaluationProtocol.EVALUATION_PROTOCOL_OFF_POLICY,
    rows: figures.map(figureMessage),
    differences: [],
    revision: revisionText(to),
    trainedCount: 0n,
    heldOutCount: 0n,
    failures: failures.map(({ model, why: reason }) => ({ model, reason })),
    series: [],
    missing: [],
  };
}
