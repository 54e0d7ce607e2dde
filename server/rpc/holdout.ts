import {
  type EvaluateRequest,
  EvaluationProtocol,
  type EvaluationReport,
  HoldoutSplit,
} from '../../proto/gen/accrete/v1/evaluation.ts';
import type { EvaluationResult, EvaluationTask } from '../jobs/evaluation/evaluate.ts';
import { describeMeasures, findMeasure, type MeasureKind } from '../jobs/evaluation/measures.ts';
import { DEFAULT_METRICS } from '../jobs/evaluation/metrics.ts';
import type { Difference, Figure } from '../jobs/evaluation/report.ts';
import type { Split } from '../jobs/evaluation/split.ts';
import { revisionText } from '../memory/revisions.ts';
import { modelsBehind } from '../models/inputs.ts';
import { specOf } from '../models/model-spec.ts';
import type { Serving } from '../serving/serving.ts';
import { checkLists, MODELS_MAX, modelsOf, refuseWeightMax } from './evaluate-request.ts';
import { Fields } from './fields.ts';
import { seriesMessage } from './figures.ts';
import { requireRange } from './revision-range.ts';

/** HOLDOUT and RANKING_SAMPLED on the wire: what is asked of the job, and what it found. */

const SHARE = 0.1;
const NEGATIVES = 99;
const NEGATIVES_MAX = 1000;

/** Throws INVALID_FIELD, REVISION_BEYOND_LAST, MODEL_NOT_FOUND, MODEL_FAILED. */
export function evaluationTask(request: EvaluateRequest, serving: Serving): EvaluationTask {
  const isSampled = request.protocol === EvaluationProtocol.EVALUATION_PROTOCOL_RANKING_SAMPLED;
  const fields = new Fields();
  const names = isSampled ? DEFAULT_METRICS.rank : [...DEFAULT_METRICS.prediction, ...DEFAULT_METRICS.rank];
  // Lists of a few sampled items would say nothing of what is shown.
  const kinds: readonly MeasureKind[] = isSampled ? ['rank'] : ['prediction', 'rank', 'list'];
  const known = (name: string) => kinds.includes(findMeasure(name)?.of as MeasureKind);
  checkLists(fields, request, known, `there are ${describeMeasures(kinds)}`);
  const split = isSampled ? sampledSplit(request, fields) : splitOf(request, fields);
  const negatives = isSampled ? negativesOf(request, fields) : 0;
  if (!isSampled && request.negatives !== 0) fields.refuse('negatives', 'is for RANKING_SAMPLED: leave it out');
  refuseWeightMax(request, fields);
  fields.check();
  return {
    ...requireRange(request.window ?? { firstRevision: '', lastRevision: '' }, serving.revisions.learned, 'window.'),
    ...specsOf(request, serving),
    split,
    negatives,
    metrics: request.metrics.length > 0 ? request.metrics : names,
    seed: request.seed,
  };
}

/** Of the models that are named; of all that did not fail when none is. */
export function specsOf(request: EvaluateRequest, serving: Serving): Pick<EvaluationTask, 'models' | 'inputs'> {
  const models = modelsOf(request, serving).filter(
    ({ prequential }) => request.models.length > 0 || prequential.quarantinedAt === 0,
  );
  if (models.length > MODELS_MAX) {
    const fields = new Fields();
    fields.refuse('models', `is empty, and there are ${models.length} models: name ${MODELS_MAX} at most`);
    fields.check();
  }
  return { models: models.map(specOf), inputs: modelsBehind(models, serving.directory.models).map(specOf) };
}

export function evaluationReport(
  { protocol, metrics: named }: EvaluateRequest,
  { to }: EvaluationTask,
  { figures, differences, gaps, curves, trainedCount, heldOutCount, failures }: EvaluationResult,
): EvaluationReport {
  return {
    protocol,
    rows: figures.map(figureMessage),
    differences: differences.map((one: Difference) => ({ ...figureMessage(one), baseline: one.baseline })),
    revision: revisionText(to),
    trainedCount: BigInt(trainedCount),
    heldOutCount: BigInt(heldOutCount),
    failures: failures.map(({ model, why: reason }) => ({ model, reason })),
    series: curves.map(({ model, ...curve }) => seriesMessage(model, curve)),
    // What is reported unless something is named is reported as far as it goes.
    missing: gaps.filter(({ metric }) => named.includes(metric)).map(({ why: reason, ...gap }) => ({ ...gap, reason })),
  };
}

export function figureMessage({ model, metric, value, interval, count, segment }: Figure) {
  const { lower, upper } = interval ?? {};
  return { model, metric, value, lower, upper, count: BigInt(count), window: 'total', segment };
}

function splitOf({ holdout }: EvaluateRequest, fields: Fields): Split {
  const { split, share = SHARE } = holdout ?? {};
  switch (split) {
    case undefined:
    case HoldoutSplit.HOLDOUT_SPLIT_UNSPECIFIED:
    case HoldoutSplit.HOLDOUT_SPLIT_TIME:
      if (!(share > 0 && share < 1)) fields.refuse('holdout.share', `is ${share}: send more than 0 and less than 1`);
      return { type: 'time', share };
    case HoldoutSplit.HOLDOUT_SPLIT_LEAVE_LAST_OUT:
      if (holdout?.share !== undefined) fields.refuse('holdout.share', 'is for the split TIME: leave it out');
      return { type: 'leaveLastOut' };
    default:
      fields.refuse('holdout.split', `is ${split}, which is no split`);
      return { type: 'leaveLastOut' };
  }
}

function sampledSplit({ holdout }: EvaluateRequest, fields: Fields): Split {
  if (holdout) fields.refuse('holdout', 'is for HOLDOUT: RANKING_SAMPLED leaves the last rating of each user out');
  return { type: 'leaveLastOut' };
}

function negativesOf({ negatives }: EvaluateRequest, fields: Fields): number {
  if (negatives < 0 || negatives > NEGATIVES_MAX)
    fields.refuse('negatives', `is ${negatives}: send 1 to ${NEGATIVES_MAX}, or 0 for ${NEGATIVES}`);
  return negatives === 0 ? NEGATIVES : negatives;
}
