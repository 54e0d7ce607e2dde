import { randomUUID } from 'node:crypto';
import { type AccreteError, ofStatus } from './errors.ts';
import type { Rating } from './gen/accrete/v1/rating.ts';
import { RateStreamRequest, type RateStreamResponse } from './gen/accrete/v1/recommender.ts';

/** What became of the ratings of a stream so far. */
export interface StreamSummary {
  /** Ratings that were learned. */
  readonly accepted: number;
  /** Ratings of batches that the server refused. */
  readonly refused: number;
  /** Batches that were answered. */
  readonly batches: number;
  /** Batches among them that had been learned before their connection broke, and were not learned again. */
  readonly duplicates: number;
  /** How often the stream was taken up again. */
  readonly resumes: number;
  /** The latest revision: `minRevision` of a recommendation that shall see all of it. */
  readonly revision: string;
}

type Counts = { -readonly [Name in keyof StreamSummary]: StreamSummary[Name] };
type RatingFields = Parameters<typeof Rating.fromPartial>[0];

/**
 * The batches of a rating stream: those to be sent, and those that wait for an answer. Ratings become a batch when there
 * are enough of them, or nothing else is under way: one batch gathers while another is learned. Answers come in order.
 */
export class Window {
  readonly summary: Counts = { accepted: 0, refused: 0, batches: 0, duplicates: 0, resumes: 0, revision: '' };
  readonly #batchSize: number;
  readonly #size: number;
  readonly #unanswered: RateStreamRequest[] = [];
  #gathering: RatingFields[] = [];
  #sent = 0;
  #connections = 0;

  /** At most `size` batches wait for their answers. */
  constructor(batchSize: number, size: number) {
    if (!(batchSize >= 1 && size >= 1)) throw new RangeError('batchSize and maxInFlight must be at least 1');
    this.#batchSize = batchSize;
    this.#size = size;
  }

  get isFull(): boolean {
    return this.#gathering.length >= this.#batchSize;
  }

  get isEmpty(): boolean {
    return this.#gathering.length === 0 && this.#unanswered.length === 0;
  }

  /** Whether there is something to send now. */
  get isDue(): boolean {
    if (this.#sent < this.#unanswered.length) return true;
    return this.#gathering.length > 0 && this.#sent < this.#size && (this.#sent === 0 || this.isFull);
  }

  add(rating: RatingFields): void {
    this.#gathering.push(rating);
  }

  /** What to send now, when something is due. */
  next(): RateStreamRequest {
    if (this.#sent === this.#unanswered.length) {
      const request = RateStreamRequest.fromPartial({ requestId: randomUUID(), ratings: this.#gathering });
      this.#unanswered.push(request);
      this.#gathering = [];
    }
    return this.#unanswered[this.#sent++] as RateStreamRequest;
  }

  /** Takes an answer to the oldest batch; the error, if it was refused. */
  answered({ error, acceptedCount, duplicate, revision }: RateStreamResponse): AccreteError | undefined {
    const { ratings } = this.#unanswered.shift() as RateStreamRequest;
    this.#sent--;
    this.summary.batches++;
    if (error) {
      this.summary.refused += ratings.length;
      return ofStatus(error, ratings);
    }
    this.summary.accepted += acceptedCount;
    if (duplicate) this.summary.duplicates++;
    if (revision > this.summary.revision) this.summary.revision = revision;
    return undefined;
  }

  /** Begins on a new connection: what was not answered on the one before is sent again, with its request ids. */
  connect(): void {
    this.#sent = 0;
    this.summary.resumes = this.#connections++;
  }
}
