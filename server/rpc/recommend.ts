import { NO_ROW } from '../../plugins/contract/index.ts';
import {
  type RecommendedItem,
  RecommendRequest,
  type RecommendResponse,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { revisionText } from '../memory/revisions.ts';
import type { RecommendedItem as Found, NamedContribution } from '../serving/describer.ts';
import type { Assignment, Requester } from '../serving/experiments.ts';
import { WRONG_TOKEN } from '../serving/page-token.ts';
import type { Recommendations, RecommendQuery } from '../serving/recommender.ts';
import type { Serving } from '../serving/serving.ts';
import { encodeShown, findShown, SHOWN_MAX, type Shown } from '../serving/shown.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';
import { reach } from './reach.ts';
import { checkOptions, optionsOf } from './recommend-options.ts';
import type { CallContext } from './service.ts';

/** Recommend: one page of one list. */

const SESSION_MAX = 1000;

export async function recommend(
  request: RecommendRequest,
  call: CallContext,
  serving: Serving,
  limits: Limits,
  telemetry: CallTelemetry,
): Promise<RecommendResponse> {
  const subject = subjectOf(request);
  const userId = subject.type === 'user' ? subject.userId : '';
  const assignment = assign({ ...request, userId }, serving);
  const cohort = serving.cohorts.find(assignment);
  const identity = identityOf(request, cohort?.key ?? '');
  const shown = check(request, identity, limits);
  const { scenario, ...options } = optionsOf(request, serving, limits);
  if (request.minRevision !== '') await reach(request.minRevision, call, serving);
  // What came or went while it waited is asked anew: of a world that has ended nothing is read any more.
  if (serving.cohorts.find(assignment) !== cohort) return recommend(request, call, serving, limits, telemetry);
  const startMs = performance.now();
  // A list goes on by the model that began it, while that one is there.
  const began = (cohort ?? serving).directory.models.some(({ name }) => name === shown.model);
  const { time, entries } = shown;
  const { standIn, rival } = modelsOf(assignment);
  const isOther = began && standIn !== shown.model;
  const model = began ? shown.model : assignment ? '' : options.model;
  const logged = isOther ? undefined : assignment;
  const recommendationId = () => serving.exposures.next(logged);
  const query = { ...options, subject, time, model, standIn, rival, shown: entries, recommendationId };
  const recommender = cohort ?? serving.recommender;
  const found = call.observed.run(() => served(assignment, serving, () => recommender.recommend(query)));
  telemetry.recommendDuration.record((performance.now() - startMs) / 1000, { model: found.model, scenario });
  const answer = answerOf(found, logged, userId, serving);
  if (found.isExploring && userId !== '') {
    // Nobody knows items that only a request names: they are not made known by it.
    const known = found.items.filter((_, n) => found.rows[n] !== NO_ROW);
    const itemIds = known.map(({ itemId }) => itemId);
    serving.answerEvents.show(userId, itemIds, time === undefined ? Date.now() : 1000 * time);
  }
  if (answer.arm !== '') tellArm(answer.arm, assignment as Assignment, call);
  return { ...answer, nextPageToken: tokenOf(found, shown, identity) };
}

/** Who answers in the place of the default model, and whose list is drafted with theirs. */
export function modelsOf(assignment: Assignment | undefined): Pick<RecommendQuery, 'standIn' | 'rival'> {
  if (assignment?.experiment.allocation !== 'interleave') return { standIn: assignment?.arm.model };
  const [control, other] = assignment.experiment.arms;
  return { standIn: control.model, rival: other.model };
}

/** Who names a model is outside every experiment. */
export function assign(
  {
    model,
    userId,
    context,
  }: { readonly model: string; readonly userId: string; readonly context: Requester['context'] },
  { experiments }: Serving,
): Assignment | undefined {
  return model === '' ? experiments.assign({ userId, context }, Date.now()) : undefined;
}

/** Makes an answer; how an arm does is looked at by its guard rails. */
export function served(
  assignment: Assignment | undefined,
  { experiments }: Serving,
  answer: () => Recommendations,
): Recommendations {
  if (!assignment) return answer();
  const startMs = performance.now();
  let isFailure = true;
  try {
    const found = answer();
    isFailure = found.fallbackReason === 'MODEL_NOT_AVAILABLE';
    return found;
  } finally {
    experiments.serve(assignment, performance.now() - startMs, isFailure);
  }
}

/** An answer as the wire tells it, without a next page; one of an experiment is logged. */
export function answerOf(
  found: Recommendations,
  assignment: Assignment | undefined,
  userId: string,
  { exposures }: Serving,
): RecommendResponse {
  return {
    recommendationId: exposures.name(assignment, { userId, ...found }),
    items: found.items.map(itemOf),
    model: found.model,
    modelVersion: found.modelVersion,
    revision: revisionText(found.revision),
    arm: assignment ? armOf(assignment, found) : '',
    fallbackReason: found.fallbackReason,
    nextPageToken: '',
  };
}

/** Of a list that was drafted, both. */
function armOf({ experiment: { name, arms }, arm }: Assignment, { teams }: Recommendations): string {
  return `${name}/${teams ? arms.map((each) => each.name).join('+') : arm.name}`;
}

/** By OpenTelemetry's conventions for feature flags. */
function tellArm(arm: string, { experiment, arm: { name } }: Assignment, call: CallContext): void {
  call.tell(ARM_KEY, arm);
  const { observed } = call;
  if (!observed.traced) return;
  observed.span.addEvent('feature_flag.evaluation', {
    'feature_flag.key': experiment.name,
    'feature_flag.result.variant': name,
    'feature_flag.provider.name': 'accrete',
    'feature_flag.result.reason': 'split',
  });
}

/** In the initial metadata of the answer. */
const ARM_KEY = 'accrete-arm';

/** What was shown on the pages before. Throws INVALID_FIELD. */
function check(request: RecommendRequest, identity: Uint8Array, limits: Limits): Shown & { readonly time?: number } {
  const fields = new Fields();
  checkSubject(fields, request);
  checkOptions(fields, request, limits);
  const time = fields.time('event_time', request.eventTime);
  const { pageToken } = request;
  const shown = pageToken === '' ? { model: '', entries: [] } : findShown(pageToken, identity);
  if (!shown) fields.refuse('page_token', WRONG_TOKEN);
  fields.check();
  return { ...(shown as Shown), time };
}

function checkSubject(fields: Fields, { subject }: RecommendRequest): void {
  switch (subject?.$case) {
    case 'userId':
      fields.id('user_id', subject.value);
      break;
    case 'itemId':
      fields.id('item_id', subject.value);
      break;
    case 'session':
      if (subject.value.itemIds.length === 0) fields.refuse('session.item_ids', `is empty: send 1 to ${SESSION_MAX}`);
      fields.ids('session.item_ids', subject.value.itemIds, SESSION_MAX);
      break;
    default:
      fields.refuse('user_id', 'is missing: send one of user_id, item_id and session');
  }
}

function subjectOf({ subject }: RecommendRequest) {
  if (subject?.$case === 'itemId') return { type: 'item', itemId: subject.value } as const;
  if (subject?.$case === 'session') return { type: 'session', itemIds: subject.value.itemIds } as const;
  return { type: 'user', userId: subject?.value ?? '' } as const;
}

/** What all pages of a list share, as bytes; rows of one world say nothing in another. */
function identityOf(request: RecommendRequest, world: string): Uint8Array {
  const context = Object.fromEntries(Object.entries(request.context).sort());
  const shared = { ...request, context, pageSize: 0, pageToken: '', minRevision: '', explain: false };
  return Buffer.concat([RecommendRequest.encode(shared).finish(), Buffer.from(world)]);
}

function tokenOf(found: Recommendations, { entries }: Shown, identity: Uint8Array): string {
  const shown = [...entries, ...found.shown];
  if (!found.hasMore || shown.length >= SHOWN_MAX) return '';
  return encodeShown({ model: found.fallbackReason === '' ? found.model : '', entries: shown }, identity);
}

function itemOf({ itemId, score, predictedValue, explanation, heldUpBy, propensity }: Found): RecommendedItem {
  const contributions = explanation?.map(contributionOf);
  return {
    itemId,
    score,
    predictedValue,
    explanation: contributions && { contributions, counterfactualItemIds: [...heldUpBy] },
    propensity,
  };
}

function contributionOf(part: NamedContribution) {
  const { value } = part;
  if ('term' in part) return { source: { $case: 'term', value: part.term }, value } as const;
  return { source: { $case: 'itemId', value: part.itemId }, value } as const;
}
