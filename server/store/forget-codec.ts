import { UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { UpsertUsersRequest, User } from '../../proto/gen/accrete/v1/user.ts';
import { decodeRecord, encodeRecord, type JournalRecord } from './record.ts';

/** A RateRequest that takes back ratings and events of a user. */
export function encodeRetractions(
  userId: string,
  ratings: readonly { readonly itemId: string; readonly kind: string }[],
): Uint8Array {
  const retractions = ratings.map(({ itemId, kind }) => Rating.fromPartial({ userId, itemId, kind, retract: true }));
  return RateRequest.encode(RateRequest.fromPartial({ ratings: retractions })).finish();
}

/**
 * Records without someone who is forgotten. What is left of them are places: where that user, and items that nobody had
 * named before, had their first row, so that whoever learns the journal again gives all others the rows that they have. A
 * place is a rating (or a user to be told of) without a user's id; `retract` says that the user's own row was made there.
 */

/** Follows the journal from its first record on. */
export class Forgetter {
  readonly #userId: string;
  /** Places are needed where the journal may be learned from its first record. */
  readonly #keepsPlaces: boolean;
  readonly #items = new Set<string>();
  #isKnown = false;

  constructor(userId: string, keepsPlaces: boolean) {
    this.#userId = userId;
    this.#keepsPlaces = keepsPlaces;
  }

  /** Record `revision` without the user: undefined where it does not name them. */
  rewrite(revision: number, bytes: Uint8Array): Rewritten | undefined {
    const record = decodeRecord(bytes, revision);
    switch (record.type) {
      case 'ratings':
        return this.#rewriteRatings(record);
      case 'users':
        return this.#rewriteUsers(record);
      case 'items':
        if (this.#keepsPlaces)
          for (const { itemId } of UpsertItemsRequest.decode(record.payload).items) this.#items.add(itemId);
        return undefined;
      default:
        return undefined;
    }
  }

  #rewriteRatings(record: JournalRecord): Rewritten | undefined {
    const request = RateRequest.decode(record.payload);
    const ratings: Rating[] = [];
    let removed = 0;
    for (const rating of request.ratings) {
      const place = this.#place(rating);
      if (rating.userId !== this.#userId) {
        ratings.push(rating);
        continue;
      }
      removed++;
      if (place) ratings.push(place);
    }
    if (removed === 0) return undefined;
    const isRemembered = request.requestId !== '';
    const payload = RateRequest.encode({ ...request, requestId: '', ratings }).finish();
    return { bytes: encodeRecord({ ...record, payload }), removed, isRemembered, receivedAtMs: record.receivedAtMs };
  }

  /** What first rows a rating makes. */
  #place({ userId, itemId, retract }: Rating): Rating | undefined {
    const isOlderPlace = userId === '';
    if (!this.#keepsPlaces || (retract && !isOlderPlace)) return undefined;
    const isNewItem = itemId !== '' && !this.#items.has(itemId);
    this.#items.add(itemId);
    if (userId !== this.#userId) return undefined;
    const isNewUser = !this.#isKnown;
    this.#isKnown = true;
    return isNewUser || isNewItem
      ? Rating.fromPartial({ itemId: isNewItem ? itemId : '', retract: isNewUser })
      : undefined;
  }

  #rewriteUsers(record: JournalRecord): Rewritten | undefined {
    const request = UpsertUsersRequest.decode(record.payload);
    if (!request.users.some(({ userId }) => userId === this.#userId)) return undefined;
    const keepsPlace = this.#keepsPlaces && !this.#isKnown;
    this.#isKnown = true;
    const users = request.users.flatMap((user) => {
      if (user.userId !== this.#userId) return [user];
      return keepsPlace ? [User.fromPartial({})] : [];
    });
    const payload = UpsertUsersRequest.encode({ ...request, users }).finish();
    return {
      bytes: encodeRecord({ ...record, payload }),
      removed: 1,
      isRemembered: false,
      receivedAtMs: record.receivedAtMs,
    };
  }
}

export interface Rewritten {
  readonly bytes: Uint8Array;
  /** Ratings, or features, of the user that it had. */
  readonly removed: number;
  /** The request had an id, which may still be remembered. */
  readonly isRemembered: boolean;
  readonly receivedAtMs: number;
}
