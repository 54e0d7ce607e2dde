import {
  type ForgetUserRequest,
  ForgetUserResponse,
  type GetUserRequest,
  GetUserResponse,
  type ListRatingsRequest,
  ListRatingsResponse,
  UpsertUsersRequest,
  UpsertUsersResponse,
  User,
  UserServiceService,
} from '../../proto/gen/accrete/v1/user.ts';
import { AccreteError } from '../errors.ts';
import { ASK } from '../exchange/messages.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { encodeMessage } from './encoding.ts';
import { exportRatingsMethod } from './export-ratings.ts';
import { checkList, checkMask, checkUser, USER_FIELDS } from './feature-fields.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';
import { type CallContext, type Rules, type ServedService, serveMethods, unary } from './service.ts';

const RULES: Rules<typeof UserServiceService> = {
  upsertUsers: 'write',
  getUser: 'read',
  listRatings: 'read',
  exportRatings: 'admin',
  forgetUser: 'write',
};

/** UserService: what is known of users, what they have rated, their events, and forgetting them. */
export function userService(gate: Gate, limits: Limits, telemetry: CallTelemetry, jobs: Jobs): ServedService {
  const enter = (call: CallContext) => gate.enter(() => call.signal);
  const methods = {
    upsertUsers: unary(UpsertUsersResponse, async (request: UpsertUsersRequest, call) =>
      upsertUsers(request, await enter(call)),
    ),
    getUser: unary(GetUserResponse, async (request: GetUserRequest, call) => getUser(request, await enter(call))),
    listRatings: unary(ListRatingsResponse, async (request: ListRatingsRequest, call) =>
      listRatings(request, await enter(call), limits),
    ),
    exportRatings: exportRatingsMethod(gate, jobs),
    forgetUser: unary(ForgetUserResponse, async (request: ForgetUserRequest, call) =>
      forgetUser(request, await enter(call)),
    ),
  };
  return serveMethods(UserServiceService, RULES, methods, telemetry);
}

/** Once begun it goes on, whether anybody waits for it or not. */
async function forgetUser({ userId, validateOnly }: ForgetUserRequest, serving: Serving): Promise<ForgetUserResponse> {
  const fields = new Fields();
  fields.id('user_id', userId);
  fields.check();
  const { forgetting } = serving;
  const { removals, revision } = await (validateOnly ? forgetting.examine(userId) : forgetting.forget(userId));
  return {
    removals: removals.map(({ place, count }) => ({ place, count: BigInt(count) })),
    revision: revision === undefined ? '' : revisionText(revision),
  };
}

async function upsertUsers(request: UpsertUsersRequest, { queue }: Serving): Promise<UpsertUsersResponse> {
  const fields = new Fields();
  const ids = request.users.map(({ userId }) => userId);
  if (checkList(fields, 'users', ids))
    for (const [n, user] of request.users.entries()) checkUser(fields, `users[${n}]`, user);
  checkMask(fields, request.updateMask, USER_FIELDS);
  fields.check();
  const {
    revision,
    created = 0,
    updated = 0,
  } = await queue.send(ASK.users, encodeMessage(UpsertUsersRequest, request));
  return { revision, createdCount: created, updatedCount: updated };
}

function getUser({ userId }: GetUserRequest, { catalogue, revisions }: Serving): GetUserResponse {
  const fields = new Fields();
  fields.id('user_id', userId);
  fields.check();
  const revision = revisionText(revisions.learned);
  const known = catalogue.findUser(userId);
  if (!known) {
    throw new AccreteError(
      'USER_NOT_FOUND',
      `There is no user ${JSON.stringify(userId)}: they rated nothing, and nobody told of them`,
      {
        metadata: { user_id: userId },
      },
    );
  }
  const user = known.message ? User.decode(known.message) : User.fromPartial({ userId });
  return { user, ratingCount: BigInt(known.ratings), revision };
}

const LIST_PAGE_SIZE = 100;

function listRatings(
  { userId, pageSize, pageToken }: ListRatingsRequest,
  serving: Serving,
  limits: Limits,
): ListRatingsResponse {
  const fields = new Fields();
  fields.id('user_id', userId);
  const size = fields.pageSize(pageSize, LIST_PAGE_SIZE, limits.pageSize);
  fields.check();
  const { ratings, nextPageToken } = serving.ratingPages.page(userId, size, pageToken);
  return {
    ratings: ratings.map(({ itemId, value, kind, weight, seconds, nanos }) => ({
      userId,
      itemId,
      value,
      eventTime: { seconds: BigInt(seconds), nanos },
      kind,
      weight,
      recommendationId: '',
      retract: false,
    })),
    nextPageToken,
  };
}
