import type { JournalReader } from '../../store/journal-reader.ts';
import { RATINGS_MAX, RatingBatch, RETRACT } from '../../store/rating-batch.ts';
import { decodeRateRequest } from '../../store/rating-codec.ts';
import { decodeRecord } from '../../store/record.ts';

/** Which records a guard judges by. */
export interface Window {
  /** The last record before them. */
  readonly start: number;
  /** Their ratings, edits among them. */
  readonly ratings: number;
}

/**
 * The window of the latest `size` ratings up to record `last`, of as many whole records as that takes, and none that is not
 * after record `from`. Every record of ratings has one at least, so few are read that are not needed.
 */
export function findWindow(
  journal: Pick<JournalReader, 'firstRevision' | 'read'>,
  { last, size, from }: { readonly last: number; readonly size: number; readonly from: number },
): Window {
  const batch = new RatingBatch(RATINGS_MAX);
  const first = Math.max(journal.firstRevision, from + 1);
  let ratings = 0;
  for (let to = last, reach = size; to >= first; reach *= 2) {
    const begin = Math.max(first, to - reach + 1);
    const counts: number[] = [];
    for (const { revision, record } of journal.read(begin, to)) {
      const { type, payload } = decodeRecord(record, revision);
      counts.push(type === 'ratings' ? countRatings(payload, batch) : 0);
    }
    for (let n = counts.length - 1; n >= 0; n--) {
      ratings += counts[n];
      if (ratings >= size) return { start: begin + n - 1, ratings };
    }
    to = begin - 1;
  }
  return { start: first - 1, ratings };
}

function countRatings(payload: Uint8Array, batch: RatingBatch): number {
  decodeRateRequest(payload, batch);
  let count = 0;
  for (let n = 0; n < batch.count; n++) {
    if ((batch.flags[n] & RETRACT) === 0 && !Number.isNaN(batch.value[n])) count++;
  }
  return count;
}
