import {
  type EvaluateRequest,
  type EvaluateResponse,
  EvaluationProtocol,
  type EvaluationReport,
} from '../../proto/gen/accrete/v1/evaluation.ts';
import { AccreteError } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { revisionText } from '../memory/revisions.ts';
import { METRICS } from '../models/prequential.ts';
import type { Serving } from '../serving/serving.ts';
import { checkLists, modelsOf } from './evaluate-request.ts';
import { Fields } from './fields.ts';
import { metricRows, missingOf, seriesOf } from './figures.ts';
import { evaluationReport, evaluationTask } from './holdout.ts';
import { progressMessage } from './progress-message.ts';

const {
  EVALUATION_PROTOCOL_UNSPECIFIED,
  EVALUATION_PROTOCOL_PREQUENTIAL,
  EVALUATION_PROTOCOL_HOLDOUT,
  EVALUATION_PROTOCOL_RANKING_SAMPLED,
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
    default:
      requireKnownProtocol(request.protocol);
  }
}

function prequential(request: EvaluateRequest, serving: Serving): EvaluationReport {
  const fields = new Fields();
  const known = (metric: string) => (METRICS as readonly string[]).includes(metric);
  checkLists(fields, request, known, `PREQUENTIAL counts ${METRICS.join(', ')}`);
  if (request.window) fields.refuse('window', 'cannot be named for PREQUENTIAL, whose counters run on: leave it out');
  if (request.holdout) fields.refuse('holdout', 'is for HOLDOUT: leave it out');
  if (request.negatives !== 0) fields.refuse('negatives', 'is for RANKING_SAMPLED: leave it out');
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

/** The protocols that the contract has and this version has not; a number that it does not have is a mistake. */
function requireKnownProtocol(protocol: number): never {
  const name = Object.entries(EvaluationProtocol).find(([, value]) => value === protocol)?.[0];
  if (name !== undefined && name !== 'UNRECOGNIZED') {
    const message = `${name} is not implemented by this version of the server: use another protocol`;
    throw new AccreteError('NOT_IMPLEMENTED', message, { metadata: { protocol: name } });
  }
  const fields = new Fields();
  fields.refuse('protocol', `is ${protocol}, which is no protocol`);
  fields.check();
  throw new Error('unreachable');
}
