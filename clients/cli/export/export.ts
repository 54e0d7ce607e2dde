import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import {
  ExportRatingsRequest,
  type ExportRatingsResponse,
  type RatingBatch,
  UserServiceService,
} from '../../../proto/gen/accrete/v1/user.ts';
import type { Connection } from '../connection.ts';
import { Failure } from '../failure.ts';
import type { Sink } from '../output-file.ts';
import { type Progress, stateOf } from '../progress.ts';
import type { RatingText } from './rating-text.ts';
import type { Split } from './split.ts';

export interface ExportOptions {
  /** The first and the last revision; absent: all. */
  readonly from?: string;
  readonly to?: string;
  readonly text: RatingText;
  /** Everything, or the part to learn from. */
  readonly sink: Sink;
  /** What is held out, and where it goes. Absent: nothing is. */
  readonly test?: { readonly split: Split; readonly sink: Sink; readonly text: RatingText };
}

/** What was written. */
export interface ExportSummary {
  /** Ratings, events and retractions in the file, and in the one of the test. */
  readonly ratings: number;
  readonly testRatings: number;
  /** The first and the last revision in them; "" if there are none. */
  readonly firstRevision: string;
  readonly lastRevision: string;
  readonly seconds: number;
}

/** Writes the ratings of a server in the order in which they were learned. A split reads them twice. */
export class Export {
  readonly #connection: Connection;
  readonly #options: ExportOptions;
  readonly #progress: Progress;
  readonly #startMs = performance.now();
  #firstRevision = '';
  #lastRevision = '';

  constructor(connection: Connection, options: ExportOptions, progress: Progress) {
    this.#connection = connection;
    this.#options = options;
    this.#progress = progress;
  }

  /** Rejects with Failure. */
  async run(): Promise<ExportSummary> {
    const { test, to = '' } = this.#options;
    try {
      const observed = test ? await this.#observe(test.split, to) : undefined;
      // The second time ratings may have been added: the range ends where it ended the first time.
      const written = await this.#write(observed === undefined ? to : this.#lastRevision, observed !== undefined);
      if (observed !== undefined && observed !== written.ratings + written.testRatings)
        throw new Failure('ABORTED', 'users were forgotten while it ran: run it again');
      const [firstRevision, lastRevision] = [this.#firstRevision, this.#lastRevision];
      return { ...written, firstRevision, lastRevision, seconds: this.#seconds };
    } finally {
      this.#progress.stop();
    }
  }

  get #seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  /** Returns how many it saw. */
  async #observe(split: Split, to: string): Promise<number> {
    let count = 0;
    for await (const { ratings } of this.#batches(to, { pass: 0, passes: 2 })) {
      for (const rating of ratings) split.observe(rating);
      count += ratings.length;
    }
    return count;
  }

  async #write(to: string, isSecond: boolean): Promise<{ ratings: number; testRatings: number }> {
    const { text, sink, test } = this.#options;
    const counts = { ratings: 0, testRatings: 0 };
    await sink.write(text.header);
    await test?.sink.write(test.text.header);
    if (isSecond && to === '') return counts; // nothing was there
    for await (const { ratings } of this.#batches(to, isSecond ? { pass: 1, passes: 2 } : { pass: 0, passes: 1 })) {
      const held = test ? Map.groupBy(ratings, (rating) => test.split.isTest(rating)) : undefined;
      const train = held ? (held.get(false) ?? []) : ratings;
      const tested = held?.get(true) ?? [];
      counts.ratings += train.length;
      counts.testRatings += tested.length;
      await writeAll(train, text, sink);
      if (test) await writeAll(tested, test.text, test.sink);
    }
    return counts;
  }

  async *#batches(lastRevision: string, pass: { pass: number; passes: number }): AsyncGenerator<RatingBatch> {
    const { from: firstRevision = '' } = this.#options;
    const request = ExportRatingsRequest.create({ firstRevision, lastRevision });
    for await (const { event } of this.#connection.stream(UserServiceService.exportRatings, request)) {
      if (event?.$case === 'progress') this.#tell(event, pass);
      if (event?.$case !== 'batch') continue;
      this.#firstRevision ||= event.value.revision;
      this.#lastRevision = event.value.revision;
      yield event.value;
    }
  }

  #tell(
    { value }: Extract<ExportRatingsResponse['event'], { $case: 'progress' }>,
    { pass, passes }: { pass: number; passes: number },
  ): void {
    const { total, position, ...state } = stateOf(value, this.#seconds);
    if (passes === 1) this.#progress.update({ ...state, position, total });
    // The server knows how long this pass takes; the other one takes as long.
    else if (total !== undefined)
      this.#progress.update({
        ...state,
        done: position + pass * total,
        position: position + pass * total,
        total: passes * total,
        secondsLeft: undefined,
      });
  }
}

async function writeAll(ratings: readonly Rating[], { lineOf }: RatingText, sink: Sink): Promise<void> {
  if (ratings.length > 0) await sink.write(ratings.map(lineOf).join(''));
}
