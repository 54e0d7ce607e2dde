import { decodeUsers } from '../feature-codec.ts';
import { RATINGS_MAX, RatingBatch } from '../rating-batch.ts';
import { decodeRateRequest } from '../rating-codec.ts';
import { decodeRecord } from '../record.ts';

/** Looks for a user in records of the journal. A record that does not have the bytes of the id is not decoded. */
export class UserSearch {
  readonly #userId: string;
  readonly #id: Buffer;
  /** The ratings of the record that was looked at last, if it is one of ratings. */
  readonly batch = new RatingBatch(RATINGS_MAX);

  constructor(userId: string) {
    this.#userId = userId;
    this.#id = Buffer.from(userId);
  }

  /** What record `revision` has of the user; undefined: nothing. */
  find(revision: number, bytes: Uint8Array): Found | undefined {
    if (!viewOf(bytes).includes(this.#id)) return undefined;
    const { type, receivedAtMs, payload } = decodeRecord(bytes, revision);
    if (type === 'users') {
      const entries = decodeUsers(payload).entries.filter(({ id }) => id === this.#userId).length;
      return entries > 0 ? { entries, receivedAtMs, hasRequestId: false } : undefined;
    }
    if (type !== 'ratings') return undefined;
    decodeRateRequest(payload, this.batch);
    let entries = 0;
    for (let n = 0; n < this.batch.count; n++) if (this.isTheirs(n)) entries++;
    return entries > 0 ? { entries, receivedAtMs, hasRequestId: this.batch.requestIdLength > 0 } : undefined;
  }

  /** Whether rating `n` of `batch` is one of the user. */
  isTheirs(n: number): boolean {
    const { bytes, userStart, userLength } = this.batch;
    if (userLength[n] !== this.#id.length) return false;
    return this.#id.compare(bytes, userStart[n], userStart[n] + userLength[n]) === 0;
  }
}

export interface Found {
  /** Ratings and events, or features. */
  readonly entries: number;
  readonly receivedAtMs: number;
  readonly hasRequestId: boolean;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
