import { type EvaluateRequest, EvaluateResponse } from '../../proto/gen/accrete/v1/evaluation.ts';
import { type FuseRequest, FuseResponse } from '../../proto/gen/accrete/v1/fuse.ts';
import {
  type RecommendBatchRequest,
  RecommendBatchResponse,
  RecommenderServiceService,
  type RecommendRequest,
  RecommendResponse,
} from '../../proto/gen/accrete/v1/recommender.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Gate } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { evaluate } from './evaluate.ts';
import { fuseWithPeers } from './fuse-peers.ts';
import type { Limits } from './limits.ts';
import { type RateStream, rateMethods } from './rate.ts';
import { recommend } from './recommend.ts';
import { recommendBatch } from './recommend-batch.ts';
import { type Rules, type ServedService, serveMethods, stream, unary } from './service.ts';

const RULES: Rules<typeof RecommenderServiceService> = {
  rate: 'write',
  rateStream: 'write',
  recommend: 'read',
  recommendBatch: 'read',
  fuse: 'admin',
  evaluate: 'read',
};

/** RecommenderService: rate, recommend, fuse, evaluate. */
export function recommenderService(
  gate: Gate,
  limits: Limits,
  telemetry: CallTelemetry,
  streams: Set<RateStream>,
  jobs: Jobs,
): ServedService {
  const methods = {
    ...rateMethods(gate, streams),
    recommend: unary(RecommendResponse, async (request: RecommendRequest, call) => {
      const serving = await gate.enter(() => call.signal);
      return recommend(request, call, serving, limits, telemetry);
    }),
    recommendBatch: stream(RecommendBatchResponse, async function* (request: RecommendBatchRequest, call) {
      yield* recommendBatch(request, call, await gate.enter(() => call.signal), limits, telemetry);
    }),
    fuse: stream(FuseResponse, async function* (request: FuseRequest, call) {
      const serving = await gate.enter(() => call.signal);
      yield* fuseWithPeers(request, serving, jobs, limits.peers, call.signal, telemetry);
    }),
    evaluate: stream(EvaluateResponse, async function* (request: EvaluateRequest, call) {
      yield* evaluate(request, await gate.enter(() => call.signal), jobs, call.signal);
    }),
  };
  return serveMethods(RecommenderServiceService, RULES, methods, telemetry);
}
