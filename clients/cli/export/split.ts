import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { Failure } from '../failure.ts';
import { formatCount } from '../output.ts';

/** Divides an export into two: it sees everything once, and then says of each which part it belongs to. */
export interface Split {
  observe(rating: Rating): void;
  /** Called for the same ratings in the same order, when all were observed. */
  isTest(rating: Rating): boolean;
}

/** Each takes 8 bytes of memory. */
const ROWS_MAX = 100_000_000;

/** By event time: the latest `share` of all that was rated is held out; of one moment, what arrived last. */
export class TimeSplit implements Split {
  readonly #share: number;
  #times = new BigInt64Array(1024);
  #count = 0;
  /** From this moment on it is test; of the moment itself, all but the first `#trainAtCut`. */
  #cut: bigint | undefined;
  #trainAtCut = 0;

  constructor(share: number) {
    this.#share = share;
  }

  observe(rating: Rating): void {
    if (this.#count === ROWS_MAX)
      throw new Failure(
        'TOO_LARGE',
        `a split by time takes ${formatCount(ROWS_MAX)} ratings at most: narrow it by --from`,
      );
    if (this.#count === this.#times.length) this.#grow();
    this.#times[this.#count++] = nanosOf(rating);
  }

  isTest(rating: Rating): boolean {
    this.#cut ??= this.#findCut();
    const time = nanosOf(rating);
    if (time !== this.#cut) return time > this.#cut;
    return this.#trainAtCut-- <= 0;
  }

  #grow(): void {
    const times = new BigInt64Array(this.#times.length * 2);
    times.set(this.#times);
    this.#times = times;
  }

  /** The time of the first one that is held out. */
  #findCut(): bigint {
    const sorted = this.#times.subarray(0, this.#count).sort();
    const trainCount = this.#count - Math.round(this.#share * this.#count);
    const cut = sorted[Math.min(trainCount, this.#count - 1)];
    this.#trainAtCut = trainCount - sorted.indexOf(cut);
    this.#times = new BigInt64Array(0);
    return cut;
  }
}

/**
 * Each user's last rating by event time is held out (of one moment, the one that arrived last), with whatever else was
 * rated of that user and item, so that nothing of it is left to learn from.
 */
export class LastOutSplit implements Split {
  readonly #last = new Map<string, { readonly time: bigint; readonly item: string }>();

  observe(rating: Rating): void {
    if (rating.kind !== '' || rating.retract) return;
    const time = nanosOf(rating);
    const last = this.#last.get(rating.userId);
    if (!last || time >= last.time) this.#last.set(rating.userId, { time, item: rating.itemId });
  }

  isTest({ userId, itemId, kind }: Rating): boolean {
    return kind === '' && this.#last.get(userId)?.item === itemId;
  }
}

function nanosOf({ eventTime }: Rating): bigint {
  return eventTime ? eventTime.seconds * 1_000_000_000n + BigInt(eventTime.nanos) : 0n;
}
