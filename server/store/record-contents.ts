import { AccreteError } from '../errors.ts';
import { decodeControl } from './control.ts';
import { decodeExposures } from './exposure-codec.ts';
import { decodeItems, decodeUsers } from './feature-codec.ts';
import { RATINGS_MAX, RatingBatch } from './rating-batch.ts';
import { decodeRateRequest } from './rating-codec.ts';
import { decodeRecord } from './record.ts';

/** Checks records for what they hold, without following them. */

let batch: RatingBatch | undefined;

/** How many ratings and events a record brings. Throws STORE_DAMAGED where it does not hold what its type says. */
export function countRatings(record: Uint8Array, revision: number): number {
  const { type, payload } = decodeRecord(record, revision);
  return ofRecord(revision, () => {
    if (type === 'control') decodeControl(payload);
    else if (type === 'items') decodeItems(payload);
    else if (type === 'users') decodeUsers(payload);
    else if (type === 'exposures') decodeExposures(payload);
    else {
      batch ??= new RatingBatch(RATINGS_MAX);
      decodeRateRequest(payload, batch);
      return batch.count;
    }
    return 0;
  });
}

/** Decodes what record `revision` holds: bytes that were checked before they were written, so any failure is damage. */
export function ofRecord<Contents>(revision: number, decode: () => Contents): Contents {
  try {
    return decode();
  } catch (cause) {
    const message = `revision ${revision} of the journal is damaged: what it holds cannot be read`;
    throw new AccreteError('STORE_DAMAGED', `${message}; restore the file that holds it from a backup`, {
      metadata: { revision: String(revision) },
      cause,
    });
  }
}
