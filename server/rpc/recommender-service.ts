import { randomUUID } from 'node:crypto';
import { type EvaluateRequest, EvaluateResponse, EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import {
  RecommenderServiceService,
  type RecommendRequest,
  RecommendResponse,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { AccreteError } from '../errors.ts';
import { findRevision, revisionText } from '../memory/revisions.ts';
import { METRICS } from '../models/prequential.ts';
import type { RecommendQuery } from '../serving/recommender.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { Fields, refuseUnsupported } from './fields.ts';
import { metricRows } from './figures.ts';
import type { Limits } from './limits.ts';
import { type RateStream, rateMethods } from './rate.ts';
import { type CallContext, type ServedService, serveMethods, stream, unary } from './service.ts';

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
    evaluate: stream(EvaluateResponse, async function* (request: EvaluateRequest, call) {
      yield evaluate(request, await gate.enter(() => call.signal));
    }),
  };
  return serveMethods(RecommenderServiceService, methods, telemetry);
}

const RECOMMEND_PAGE_SIZE = 10;

async function recommend(
  request: RecommendRequest,
  call: CallContext,
  serving: Serving,
  limits: Limits,
  telemetry: CallTelemetry,
): Promise<RecommendResponse> {
  const query = queryOf(request, limits);
  if (request.minRevision !== '') await reach(request.minRevision, call, serving);
  const startMs = performance.now();
  const found = call.observed.run(() => serving.recommender.recommend(query));
  telemetry.recommendDuration.record((performance.now() - startMs) / 1000, { model: found.model });
  return {
    recommendationId: randomUUID(),
    items: found.items.map(({ itemId, score, predictedValue }) => ({
      itemId,
      score,
      predictedValue,
      explanation: undefined,
      propensity: undefined,
    })),
    model: found.model,
    modelVersion: found.modelVersion,
    revision: revisionText(found.revision),
    arm: '',
    fallbackReason: found.fallbackReason,
    nextPageToken: '',
  };
}

function queryOf(request: RecommendRequest, limits: Limits): RecommendQuery {
  const { subject, model, candidateItemIds, excludeItemIds } = request;
  refuseUnsupported({
    item_id: subject?.$case === 'itemId',
    session: subject?.$case === 'session',
    page_token: request.pageToken !== '',
    filter: request.filter !== '',
    diversity: (request.diversity ?? 0) !== 0,
    explain: request.explain,
    scenario: request.scenario !== '',
  });
  const fields = new Fields();
  const userId = subject?.$case === 'userId' ? subject.value : '';
  fields.id('user_id', userId);
  fields.ids('candidate_item_ids', candidateItemIds, limits.candidates);
  fields.ids('exclude_item_ids', excludeItemIds, limits.candidates);
  const count = fields.pageSize(request.pageSize, RECOMMEND_PAGE_SIZE, limits.pageSize);
  fields.check();
  const includeSeen = request.includeSeen ?? false;
  return { userId, model, count, candidateIds: candidateItemIds, excludeIds: excludeItemIds, includeSeen };
}

/** Read your own writes: waits until everything up to a revision is learned. */
async function reach(minRevision: string, call: CallContext, { revisions }: Serving): Promise<void> {
  const revision = findRevision(minRevision);
  if (revision === undefined) {
    const fields = new Fields();
    fields.refuse('min_revision', 'is no revision: send one that an answer to Rate gave, as it was');
    fields.check();
  } else if (revision > revisions.issued) {
    const last = revisionText(revisions.issued);
    const message = `min_revision ${minRevision} was never given: the last revision of this server is ${last}`;
    throw new AccreteError('REVISION_BEYOND_LAST', message, { metadata: { last_revision: last } });
  } else if (revision > revisions.learned) {
    await revisions.reach(revision, call.signal);
  }
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
