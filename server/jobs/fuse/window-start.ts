import type { JournalReader } from '../../store/journal-reader.ts';
import { RATINGS_MAX, RatingBatch, RETRACT } from '../../store/rating-batch.ts';
import { decodeRateRequest } from '../../store/rating-codec.ts';
import { decodeRecord } from '../../store/record.ts';

/**
 * The last record before the window of the latest `size` ratings up to record `last`; edits count as they come. 0: there
 * are not so many. Every record of ratings has one at least, so few are read that are not needed.
 */
export function windowStart(journal: JournalReader, last: number, size: number): number {
  const batch = new RatingBatch(RATINGS_MAX);
  let missing = size;
  for (let to = last, reach = size; to >= journal.firstRevision; reach *= 2) {
    const from = Math.max(journal.firstRevision, to - reach + 1);
    const counts: number[] = [];
    for (const { revision, record } of journal.read(from, to)) {
      const { type, payload } = decodeRecord(record, revision);
      counts.push(type === 'ratings' ? countRatings(payload, batch) : 0);
    }
    for (let n = counts.length - 1; n >= 0; n--) {
      missing -= counts[n];
      if (missing <= 0) return from + n - 1;
    }
    to = from - 1;
  }
  return 0;
}

function countRatings(payload: Uint8Array, batch: RatingBatch): number {
  decodeRateRequest(payload, batch);
  let count = 0;
  for (let n = 0; n < batch.count; n++) {
    if ((batch.flags[n] & RETRACT) === 0 && !Number.isNaN(batch.value[n])) count++;
  }
  return count;
}
