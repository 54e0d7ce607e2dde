import { createHash } from 'node:crypto';
import { DIGEST_BYTES } from '../memory/request-ids.ts';

/**
 * The ratings of one request as columns: one element per rating. Ids and other texts are places in the message, which
 * is kept as it is. Made once and filled again for every request.
 */

/** Bits of `flags`. */
export const HAS_VALUE = 1;
export const HAS_TIME = 2;
export const HAS_WEIGHT = 4;
export const RETRACT = 8;

/** Names in `return_predictions`; what goes beyond is counted and not kept. */
export const RETURN_PREDICTIONS_MAX = 16;

/** The most ratings of a request under any configuration: the journal may have been written under another one. */
export const RATINGS_MAX = 100_000;

export class RatingBatch {
  /** Ratings that the columns hold. */
  readonly ratingsMax: number;
  /** The message: what the places below are offsets into. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Ratings in the message. Those beyond `ratingsMax` are checked for their form and not kept. */
  count = 0;

  readonly userStart: Uint32Array;
  readonly userLength: Uint32Array;
  readonly itemStart: Uint32Array;
  readonly itemLength: Uint32Array;
  readonly kindStart: Uint32Array;
  readonly kindLength: Uint32Array;
  readonly recommendationStart: Uint32Array;
  readonly recommendationLength: Uint32Array;
  readonly flags: Uint8Array;
  /** On the deployment's scale; NaN when absent. */
  readonly value: Float64Array;
  /** 1 when absent. */
  readonly weight: Float64Array;
  /** `event_time`: whole seconds since 1970 and nanoseconds; 0 when absent. */
  readonly timeSeconds: Float64Array;
  readonly timeNanos: Int32Array;

  requestIdStart = 0;
  requestIdLength = 0;
  validateOnly = false;
  /** At most `RETURN_PREDICTIONS_MAX` names. */
  readonly returnPredictions: string[] = [];
  returnPredictionsCount = 0;
  /** Where the ratings lie in the message, for a digest: start, end, start, end, … One pair when they stand together. */
  readonly ranges: number[] = [];

  constructor(ratingsMax: number) {
    const rows = ratingsMax + 1; // the last one takes what is too much
    this.ratingsMax = ratingsMax;
    this.userStart = new Uint32Array(rows);
    this.userLength = new Uint32Array(rows);
    this.itemStart = new Uint32Array(rows);
    this.itemLength = new Uint32Array(rows);
    this.kindStart = new Uint32Array(rows);
    this.kindLength = new Uint32Array(rows);
    this.recommendationStart = new Uint32Array(rows);
    this.recommendationLength = new Uint32Array(rows);
    this.flags = new Uint8Array(rows);
    this.value = new Float64Array(rows);
    this.weight = new Float64Array(rows);
    this.timeSeconds = new Float64Array(rows);
    this.timeNanos = new Int32Array(rows);
  }

  /** Forgets the request before. */
  start(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = 0;
    this.requestIdStart = 0;
    this.requestIdLength = 0;
    this.validateOnly = false;
    this.returnPredictions.length = 0;
    this.returnPredictionsCount = 0;
    this.ranges.length = 0;
  }

  /** The row for the next rating, with every field absent. */
  nextRow(): number {
    const row = Math.min(this.count++, this.ratingsMax);
    this.userLength[row] = 0;
    this.itemLength[row] = 0;
    this.kindLength[row] = 0;
    this.recommendationLength[row] = 0;
    this.flags[row] = 0;
    this.value[row] = Number.NaN;
    this.weight[row] = 1;
    this.timeSeconds[row] = 0;
    this.timeNanos[row] = 0;
    return row;
  }

  /** When rating `n` happened, in whole seconds since 1970 and nanoseconds: when it was received if it has no time. */
  secondsOf(n: number, receivedAtMs: number): number {
    return this.flags[n] & HAS_TIME ? this.timeSeconds[n] : Math.floor(receivedAtMs / 1000);
  }

  nanosOf(n: number, receivedAtMs: number): number {
    return this.flags[n] & HAS_TIME ? this.timeNanos[n] : (receivedAtMs % 1000) * 1e6;
  }

  /** A text of the message. */
  text(start: number, length: number): string {
    return Buffer.prototype.utf8Slice.call(this.bytes, start, start + length);
  }

  get requestId(): string {
    return this.text(this.requestIdStart, this.requestIdLength);
  }

  /** What the request says, apart from its id and what it wants to hear: its ratings as they were encoded. */
  digest(): Uint8Array {
    const hash = createHash('sha256');
    const { ranges } = this;
    for (let n = 0; n < ranges.length; n += 2) hash.update(this.bytes.subarray(ranges[n], ranges[n + 1]));
    return hash.digest().subarray(0, DIGEST_BYTES);
  }
}
