import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';

/** What one answer showed a user. */
export interface ShownItems {
  readonly userId: string;
  /** Best first. */
  readonly itemIds: readonly string[];
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** A RateRequest with an event of this kind for each item. */
export function encodeShownItems(kind: string, answers: readonly ShownItems[]): Uint8Array {
  const ratings = answers.flatMap(({ userId, itemIds, atMs }) => {
    const seconds = Math.floor(atMs / 1000);
    const eventTime = { seconds: BigInt(seconds), nanos: Math.floor((atMs - 1000 * seconds) * 1e6) };
    return itemIds.map((itemId) => Rating.fromPartial({ userId, itemId, kind, eventTime }));
  });
  return RateRequest.encode(RateRequest.fromPartial({ ratings })).finish();
}
