import { type ListRatingsRequest, ListRatingsResponse, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';
import { type ServedService, serveMethods, unary } from './service.ts';

/** UserService: what users have rated. */
export function userService(gate: Gate, limits: Limits, telemetry: CallTelemetry): ServedService {
  const methods = {
    listRatings: unary(ListRatingsResponse, async (request: ListRatingsRequest, call) =>
      listRatings(request, await gate.enter(() => call.signal), limits),
    ),
  };
  return serveMethods(UserServiceService, methods, telemetry);
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
    ratings: ratings.map(({ itemId, value, weight, seconds, nanos }) => ({
      userId,
      itemId,
      value,
      eventTime: { seconds: BigInt(seconds), nanos },
      kind: '',
      weight,
      recommendationId: '',
      retract: false,
    })),
    nextPageToken,
  };
}
