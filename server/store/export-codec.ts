import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { ExportRatingsResponse } from '../../proto/gen/accrete/v1/user.ts';
import { revisionText } from '../memory/revisions.ts';
import { HAS_VALUE, HAS_WEIGHT, type RatingBatch, RETRACT } from './rating-batch.ts';

/** About how large a message of an export gets, in bytes: the largest rating may come on top. */
const MESSAGE_BYTES = 256 * 1024;
/** Of a rating, besides its texts. */
const RATING_BYTES = 64;

/** The ratings of a record as messages of the wire, each within the size that clients take. */
export function* encodeExportedRatings(
  batch: RatingBatch,
  revision: number,
  receivedAtMs: number,
): Generator<Uint8Array> {
  const head = { revision: revisionText(revision), receivedAt: timestampOf(receivedAtMs) };
  for (let n = 0; n < batch.count; ) {
    const ratings: Rating[] = [];
    for (let bytes = 0; n < batch.count && bytes < MESSAGE_BYTES; n++) {
      // Someone was forgotten.
      if (batch.userLength[n] === 0) continue;
      ratings.push(ratingOf(batch, n, receivedAtMs));
      bytes += RATING_BYTES + batch.userLength[n] + batch.itemLength[n] + batch.kindLength[n];
    }
    const value = { ...head, ratings };
    if (ratings.length > 0) yield ExportRatingsResponse.encode({ event: { $case: 'batch', value } }).finish();
  }
}

function ratingOf(batch: RatingBatch, n: number, receivedAtMs: number): Rating {
  const flags = batch.flags[n];
  return {
    userId: batch.text(batch.userStart[n], batch.userLength[n]),
    itemId: batch.text(batch.itemStart[n], batch.itemLength[n]),
    value: flags & HAS_VALUE ? batch.value[n] : undefined,
    eventTime: {
      seconds: BigInt(batch.secondsOf(n, receivedAtMs)),
      nanos: Math.trunc(batch.nanosOf(n, receivedAtMs)),
    },
    kind: batch.text(batch.kindStart[n], batch.kindLength[n]),
    weight: flags & HAS_WEIGHT ? batch.weight[n] : undefined,
    recommendationId: batch.text(batch.recommendationStart[n], batch.recommendationLength[n]),
    retract: (flags & RETRACT) !== 0,
  };
}

function timestampOf(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.trunc((ms % 1000) * 1e6) };
}
