import { type EvaluateRequest, EvaluateResponse, EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import {
  type RecommendBatchRequest,
  RecommendBatchResponse,
  RecommenderServiceService,
  type RecommendRequest,
  RecommendResponse,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { AccreteError } from '../errors.ts';
import { revisionText } from '../memory/revisions.ts';
import { METRICS } from '../models/prequential.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { Fields, refuseUnsupported } from './fields.ts';
import { metricRows } from './figures.ts';
import type { Limits } from './limits.ts';
import { type RateStream, rateMethods } from './rate.ts';
import { recommend } from './recommend.ts';
import { recommendBatch } from './recommend-batch.ts';
import { type ServedService, serveMethods, stream, unary } from './service.ts';

/** RecommenderService: rate, recommend, evaluate. */
export function recommenderService(
  gate: Gate,
  limits: Limits,
  telemetry: CallTelemetry,
  streams: Set<RateStream>,
): ServedService {
  const methods = {
    ...rateMethods(gate, streams),
    recommend: unary(RecommendResponse, async (request: RecommendRequest, call) => {
      const serving = await gate.enter(() => call.signal);
      return recommend(request, call, serving, limits, telemetry);
    }),
    recommendBatch: stream(RecommendBatchResponse, async function* (request: RecommendBatchRequest, call) {
      yield* recommendBatch(request, call, await gate.enter(() => call.signal), limits);
    }),
    evaluate: stream(EvaluateResponse, async function* (request: EvaluateRequest, call) {
      yield evaluate(request, await gate.enter(() => call.signal));
    }),
  };
  return serveMethods(RecommenderServiceService, methods, telemetry);
}

const EVALUATE_MODELS_MAX = 16;
const EVALUATE_METRICS_MAX = 32;

function evaluate(request: EvaluateRequest, { directory, revisions }: Serving): EvaluateResponse {
  const { protocol, models, metrics } = request;
  const { EVALUATION_PROTOCOL_UNSPECIFIED, EVALUATION_PROTOCOL_PREQUENTIAL } = EvaluationProtocol;
  if (protocol !== EVALUATION_PROTOCOL_UNSPECIFIED && protocol !== EVALUATION_PROTOCOL_PREQUENTIAL)
    requireKnownProtocol(protocol);
  refuseUnsupported({ window: request.window !== undefined });
  const fields = new Fields();
  fields.count('models', models, EVALUATE_MODELS_MAX);
  fields.count('metrics', metrics, EVALUATE_METRICS_MAX);
  metrics.forEach((metric, n) => {
    if ((METRICS as readonly string[]).includes(metric)) return;
    fields.refuse(`metrics[${n}]`, `is ${JSON.stringify(metric)}: PREQUENTIAL counts ${METRICS.join(', ')}`);
  });
  fields.check();
  const asked = models.length === 0 ? directory.models : models.map((name) => directory.require(name));
  const report = {
    protocol: EVALUATION_PROTOCOL_PREQUENTIAL,
    rows: asked.flatMap((model) => metricRows(model, metrics)),
    differences: [],
    revision: revisionText(revisions.learned),
  };
  return { event: { $case: 'report', value: report } };
}

/** The protocols that the contract has and this version has not; a number that it does not have is a mistake. */
function requireKnownProtocol(protocol: number): never {
  const name = Object.entries(EvaluationProtocol).find(([, value]) => value === protocol)?.[0];
  if (name !== undefined && name !== 'UNRECOGNIZED') {
    throw new AccreteError(
      'NOT_IMPLEMENTED',
      `${name} is not implemented by this version of the server: use EVALUATION_PROTOCOL_PREQUENTIAL`,
      { metadata: { protocol: name } },
    );
  }
  const fields = new Fields();
  fields.refuse('protocol', `is ${protocol}, which is no protocol`);
  fields.check();
  throw new Error('unreachable');
}
