import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { UpsertUsersRequest, User } from '../../proto/gen/accrete/v1/user.ts';
import { NO_PLACE, PLACE_OF_ITEM, PLACE_OF_USER, type Places } from './forget/places.ts';
import { decodeRecord, encodeRecord } from './record.ts';

/** Records without users who are forgotten: see `forget/places.ts` for what is left of them. */

/** A RateRequest that takes back ratings and events of a user. */
export function encodeRetractions(
  userId: string,
  ratings: readonly { readonly itemId: string; readonly kind: string }[],
): Uint8Array {
  const retractions = ratings.map(({ itemId, kind }) => Rating.fromPartial({ userId, itemId, kind, retract: true }));
  return RateRequest.encode(RateRequest.fromPartial({ ratings: retractions })).finish();
}

/** Record `revision`, which names some of those whom `isTheirs` knows, without them. */
export function withoutUsers(isTheirs: IsTheirs, revision: number, bytes: Uint8Array, places: Places): Uint8Array {
  const record = decodeRecord(bytes, revision);
  const rewrite = record.type === 'users' ? withoutFeatures : withoutRatings;
  const payload = rewrite(isTheirs, record.payload, (n) => places.at(revision, n));
  return encodeRecord({ ...record, payload });
}

/** Whether this is the id of one who is forgotten. */
type IsTheirs = (userId: string) => boolean;
type PlaceAt = (n: number) => number;

/** The id of the request goes too: it is of whoever sent it, and may say who that is. */
function withoutRatings(isTheirs: IsTheirs, payload: Uint8Array, placeAt: PlaceAt): Uint8Array {
  const request = RateRequest.decode(payload);
  const ratings = request.ratings.flatMap((rating, n) => {
    if (!isTheirs(rating.userId)) return [rating];
    const place = placeAt(n);
    if (place === NO_PLACE) return [];
    const itemId = (place & PLACE_OF_ITEM) !== 0 ? rating.itemId : '';
    return [Rating.fromPartial({ itemId, retract: (place & PLACE_OF_USER) !== 0 })];
  });
  return RateRequest.encode({ ...request, requestId: '', ratings }).finish();
}

function withoutFeatures(isTheirs: IsTheirs, payload: Uint8Array, placeAt: PlaceAt): Uint8Array {
  const request = UpsertUsersRequest.decode(payload);
  const users = request.users.flatMap((user, n) => {
    if (!isTheirs(user.userId)) return [user];
    return placeAt(n) === NO_PLACE ? [] : [User.fromPartial({})];
  });
  return UpsertUsersRequest.encode({ ...request, users }).finish();
}
