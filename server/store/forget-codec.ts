import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { UpsertUsersRequest, User } from '../../proto/gen/accrete/v1/user.ts';
import { decodeExposures, type Exposure, encodeExposures, NO_ITEM } from './exposure-codec.ts';
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

/** Record `revision`, which names some of those whom `isTheirs` knows, without them; `nameless`: see `Nameless`. */
export function withoutUsers(
  isTheirs: IsTheirs,
  revision: number,
  bytes: Uint8Array,
  places: Places,
  nameless: Nameless = () => undefined,
): Uint8Array {
  const record = decodeRecord(bytes, revision);
  if (record.type === 'exposures')
    return encodeRecord({ ...record, payload: withoutExposures(nameless, record.payload) });
  const rewrite = record.type === 'users' ? withoutFeatures : withoutRatings;
  const payload = rewrite(isTheirs, record.payload, (n) => places.at(revision, n));
  return encodeRecord({ ...record, payload });
}

/**
 * What stands for a user, or a unit, who is forgotten in exposures from now on: a number that says nothing of them, and is
 * the same in all of theirs, so that whoever follows the journal again has as many units. Undefined: it is nobody who is.
 */
export type Nameless = (key: bigint) => bigint | undefined;

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

/**
 * When and by which arm someone was answered stays, as it counts; what they were shown does not. A unit may be named like
 * someone who is forgotten where another one asked: what that one was shown is theirs.
 */
function withoutExposures(nameless: Nameless, payload: Uint8Array): Uint8Array {
  const { exposures, ...record } = decodeExposures(payload);
  const left = exposures.map((exposure): Exposure => {
    const { items, propensities, teams } = exposure;
    const [user, unit] = [nameless(exposure.user), nameless(exposure.unit)];
    if (user === undefined && unit === undefined) return exposure;
    const kept = { ...exposure, user: user ?? exposure.user, unit: unit ?? exposure.unit };
    if (user === undefined && exposure.user !== 0n) return kept;
    return {
      ...kept,
      row: NO_ITEM,
      items: new Uint32Array(items.length).fill(NO_ITEM),
      propensities: propensities && new Float32Array(items.length),
      teams: teams && new Uint8Array(items.length),
    };
  });
  return encodeExposures({ ...record, exposures: left });
}

function withoutFeatures(isTheirs: IsTheirs, payload: Uint8Array, placeAt: PlaceAt): Uint8Array {
  const request = UpsertUsersRequest.decode(payload);
  const users = request.users.flatMap((user, n) => {
    if (!isTheirs(user.userId)) return [user];
    return placeAt(n) === NO_PLACE ? [] : [User.fromPartial({})];
  });
  return UpsertUsersRequest.encode({ ...request, users }).finish();
}
