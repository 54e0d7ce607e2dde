import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  RecommendBatchRequest,
  RecommendBatchResponse,
  UserRecommendations,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { AccreteError } from '../errors.ts';
import type { Serving } from '../serving/serving.ts';
import type { Shortlist } from '../serving/shortlist.ts';
import type { ListOptions } from '../serving/shortlists.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';
import { progressMessage } from './progress-message.ts';
import { reach } from './reach.ts';
import { answerOf, assign, modelsOf, served } from './recommend.ts';
import { checkOptions, optionsOf } from './recommend-options.ts';
import type { CallContext } from './service.ts';
import { statusOf } from './status.ts';

/** RecommendBatch: lists for many users, made between other calls. */

const USERS_MAX = 10_000;
/** Users whose shortlists are found at once, where that pays. */
const WAVE = 256;
/** The longest that other calls wait for this one. */
const SLICE_MS = 2;
const PROGRESS_MS = 1000;

export async function* recommendBatch(
  request: RecommendBatchRequest,
  call: CallContext,
  serving: Serving,
  limits: Limits,
  telemetry: CallTelemetry,
): AsyncGenerator<RecommendBatchResponse> {
  const fields = new Fields();
  fields.ids('user_ids', request.userIds, USERS_MAX);
  checkOptions(fields, request, limits);
  fields.check();
  const { scenario, ...options } = optionsOf(request, serving, limits);
  if (request.minRevision !== '') await reach(request.minRevision, call, serving);
  const { userIds } = request;
  const total = userIds.length || serving.catalogue.userCount;
  const startMs = performance.now();
  let toldMs = startMs;
  let sliceMs = startMs;
  let wave: readonly string[] = [];
  let shortlists: ReadonlyMap<string, Shortlist> = new Map();
  for (let n = 0; n < total; n++) {
    if (n % WAVE === 0) {
      const size = Math.min(WAVE, total - n);
      wave = Array.from({ length: size }, (_, at) => userIds[n + at] ?? serving.catalogue.userId(n + at));
      shortlists = await serving.shortlists.find(wave, options);
      if (call.signal.aborted) return;
      sliceMs = performance.now();
    }
    const userId = wave[n % WAVE];
    if (userId === '') continue;
    const beganMs = performance.now();
    const value = recommendTo(userId, { ...options, shortlist: shortlists.get(userId) }, request, serving);
    const nowMs = performance.now();
    const model = value.outcome?.$case === 'answer' ? value.outcome.value.model : '';
    telemetry.recommendDuration.record((nowMs - beganMs) / 1000, { model, scenario });
    yield { event: { $case: 'recommendations', value } };
    if (nowMs - toldMs >= PROGRESS_MS) {
      toldMs = nowMs;
      yield { event: { $case: 'progress', value: progressOf(n + 1, total, nowMs - startMs) } };
    }
    if (nowMs - sliceMs < SLICE_MS) continue;
    await nextTurn();
    if (call.signal.aborted) return;
    sliceMs = performance.now();
  }
  yield { event: { $case: 'progress', value: progressOf(total, total, performance.now() - startMs) } };
}

function recommendTo(
  userId: string,
  options: ListOptions,
  request: RecommendBatchRequest,
  serving: Serving,
): UserRecommendations {
  try {
    const assignment = assign({ ...request, userId }, serving);
    const subject = { type: 'user', userId } as const;
    const recommendationId = () => serving.exposures.next(assignment);
    const query = { ...options, subject, time: undefined, shown: [], recommendationId };
    const ofArm = assignment && { model: '', ...modelsOf(assignment) };
    const recommender = serving.cohorts.find(assignment) ?? serving.recommender;
    const found = served(assignment, serving, () => recommender.recommend({ ...query, ...ofArm }));
    return { userId, outcome: { $case: 'answer', value: answerOf(found, assignment, userId, serving) } };
  } catch (error) {
    return { userId, outcome: { $case: 'error', value: statusOf(AccreteError.wrap(error)) } };
  }
}

function progressOf(completed: number, total: number, elapsedMs: number) {
  const remainingMs = completed === 0 ? undefined : (elapsedMs / completed) * (total - completed);
  return progressMessage({ phase: 'recommend', unit: 'users', completed, total, remainingMs });
}
