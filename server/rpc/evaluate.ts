import {
  type EvaluateRequest,
  type EvaluateResponse,
  EvaluationProtocol,
  type EvaluationReport,
} from '../../proto/gen/accrete/v1/evaluation.ts';
import { invalidField } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { revisionText } from '../memory/revisions.ts';
import { METRICS } from '../models/prequential.ts';
import type { Serving } from '../serving/serving.ts';
import { checkLists, modelsOf, refuseWeightMax } from './evaluate-request.ts';
import { Fields } from './fields.ts';
import { metricRows, missingOf, seriesOf } from './figures.ts';
import { evaluationReport, evaluationTask } from './holdout.ts';
import { offPolicyReport, offPolicyTask } from './off-policy.ts';
import { progressMessage } from './progress-message.ts';

const {
  EVALUATION_PROTOCOL_UNSPECIFIED,
  EVALUATION_PROTOCOL_PREQUENTIAL,
  EVALUATION_PROTOCOL_HOLDOUT,
  EVALUATION_PROTOCOL_RANKING_SAMPLED,
  EVALUATION_PROTOCOL_OFF_POLICY,
} = EvaluationProtocol;

/** RecommenderService.Evaluate: the live figures at once; the other protocols by a job, with its progress. */
export async function* evaluate(
  request: EvaluateRequest,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
): AsyncGenerator<EvaluateResponse> {
  switch (request.protocol) {
    case EVALUATION_PROTOCOL_UNSPECIFIED:
    case EVALUATION_PROTOCOL_PREQUENTIAL:
      yield { event: { $case: 'report', value: prequential(request, serving) } };
      return;
    case EVALUATION_PROTOCOL_HOLDOUT:
    case EVALUATION_PROTOCOL_RANKING_SAMPLED: {
      const task = evaluationTask(request, serving);
      for await (const step of jobs.run('evaluate', task, signal)) {
        if (step.type === 'progress') yield { event: { $case: 'progress', value: progressMessage(step.progress) } };
        else yield { event: { $case: 'report', value: evaluationReport(request, task, step.item) } };
      }
      return;
    }
    case EVALUATION_PROTOCOL_OFF_POLICY: {
      const task = offPolicyTask(request, serving);
      for await (const step of jobs.run('evaluateOffPolicy', task, signal)) {
        if (step.type === 'progress') yield { event: { $case: 'progress', value: progressMessage(step.progress) } };
        else yield { event: { $case: 'report', value: offPolicyReport(task, step.item) } };
      }
      return;
    }
    default:
      throw invalidField('protocol', `is ${request.protocol}, which is no protocol`);
  }
}

function prequential(request: EvaluateRequest, serving: Serving): EvaluationReport {
  const fields = new Fields();
  const known = (metric: string) => (METRICS as readonly string[]).includes(metric);
  checkLists(fields, request, known, `PREQUENTIAL counts ${METRICS.join(', ')}`);
  if (request.window) fields.refuse('window', 'cannot be named for PREQUENTIAL, whose counters run on: leave it out');
  if (request.holdout) fields.refuse('holdout', 'is for HOLDOUT: leave it out');
  if (request.negatives !== 0) fields.refuse('negatives', 'is for RANKING_SAMPLED: leave it out');
  refuseWeightMax(request, fields);
  fields.check();
  const models = modelsOf(request, serving);
  return {
    protocol: EVALUATION_PROTOCOL_PREQUENTIAL,
    rows: models.flatMap((model) => metricRows(model, request.metrics)),
    series: models.flatMap((model) => seriesOf(model, request.metrics)),
    differences: [],
    revision: revisionText(serving.revisions.learned),
    trainedCount: 0n,
    heldOutCount: 0n,
    failures: [],
    missing: models.flatMap((model) => missingOf(model, request.metrics)),
  };
}
