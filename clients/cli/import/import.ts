import { type RateStreamResponse, RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import type { Connection } from '../connection.ts';
import { Failure, type Fault, statusFailure } from '../failure.ts';
import { formatCount } from '../output.ts';
import type { Progress } from '../progress.ts';
import { type Batch, type BatchOptions, makeBatch, makeBatches } from './batches.ts';
import { type PrequentialError, PrequentialTally, TALLY_MAX } from './prequential.ts';
import { RatingStream } from './rating-stream.ts';
import { openRatings, type RatingsFileOptions } from './ratings-file.ts';
import type { BadRow } from './row-reader.ts';
import { Skips, withAdvice } from './skips.ts';

export interface ImportOptions extends RatingsFileOptions {
  /** A file, or `-` for standard input. */
  readonly path: string;
  /** Rows in a message. */
  readonly batch: number;
  /** What a line that is no rating, or that the server refuses, does to the import. */
  readonly onError: 'stop' | 'skip';
  /** A model whose predictions are collected. */
  readonly predictions?: string;
  /** Tells apart two imports of one file. */
  readonly run?: string;
}

/** What became of an import. */
export interface ImportSummary {
  /** Ratings learned by this import. */
  readonly accepted: number;
  /** Ratings that the server had learned before, from an earlier import of the file or an earlier try of this one. */
  readonly duplicates: number;
  readonly skipped: number;
  /** The first of the skipped lines. */
  readonly skippedLines: readonly Fault[];
  readonly seconds: number;
  /** The last one; "" if nothing was sent. */
  readonly revision: string;
  readonly predictions: PrequentialError | undefined;
}

/** Sends a file of ratings through a RateStream, batch by batch. */
export class Import {
  readonly #connection: Connection;
  readonly #options: ImportOptions;
  readonly #batchOptions: BatchOptions;
  readonly #progress: Progress;
  readonly #startMs = performance.now();
  readonly #tally: PrequentialTally | undefined;
  readonly #skips: Skips;
  #accepted = 0;
  #duplicates = 0;
  #revision = '';
  #total: number | undefined;
  /** Why no more is sent; what was sent before is still answered. */
  #stopped: Failure | undefined;

  constructor(connection: Connection, options: ImportOptions, progress: Progress) {
    const { batch, run = '', predictions } = options;
    this.#connection = connection;
    this.#options = options;
    this.#batchOptions = { size: batch, run, returnPredictions: predictions === undefined ? [] : [predictions] };
    this.#progress = progress;
    this.#skips = new Skips(options.path, options.onError);
    this.#tally = predictions === undefined ? undefined : new PrequentialTally(predictions);
  }

  /** Resolves when the whole file is answered. Rejects with Failure, which says how to go on. */
  async run(): Promise<ImportSummary> {
    try {
      await this.#send();
      if (this.#stopped) throw this.#stopped;
      return this.summary;
    } catch (error) {
      throw error instanceof Failure ? this.#howToGoOn(error) : error;
    } finally {
      this.#progress.stop();
    }
  }

  /** What became of it until now. */
  get summary(): ImportSummary {
    return {
      accepted: this.#accepted,
      duplicates: this.#duplicates,
      ...this.#skips.summary,
      seconds: this.#seconds,
      revision: this.#revision,
      predictions: this.#tally?.error,
    };
  }

  get #seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  async #send(): Promise<void> {
    const onBadRow = (row: BadRow) => this.#skips.passOver(row);
    const file = await openRatings(this.#options.path, this.#options, onBadRow);
    this.#total = file.total;
    const stream = new RatingStream<Batch>({
      open: () => this.#connection.duplex(RecommenderServiceService.rateStream),
      onAnswer: (batch, response) => this.#take(batch, response),
      explain: (error) => this.#connection.explain(error),
      timeoutMs: this.#connection.timeoutMs,
    });
    try {
      let sent = 0;
      for await (const batch of makeBatches(file.rows, this.#batchOptions, onBadRow)) {
        sent += batch.ratings.length;
        if (this.#tally && sent > TALLY_MAX)
          throw new Failure('TOO_LARGE', `--predictions follows ${TALLY_MAX} ratings at most`);
        await stream.send(batch);
        if (this.#stopped) break;
      }
    } finally {
      await stream.finish();
    }
  }

  /** Counts an answer; returns what is left of a batch that was refused for some of its ratings. */
  #take(batch: Batch, { revision, duplicate, predictions, error }: RateStreamResponse): Batch | undefined {
    if (error) return this.#refuse(batch, statusFailure(error));
    const { ratings, position } = batch;
    if (revision > this.#revision) this.#revision = revision;
    if (duplicate) this.#duplicates += ratings.length;
    else this.#accepted += ratings.length;
    if (predictions.length > 0) this.#tally?.add(ratings, predictions[0].values);
    else this.#tally?.pass(ratings);
    const answered = this.#accepted + this.#duplicates;
    this.#progress.update({
      unit: 'ratings',
      done: answered,
      position,
      total: this.#total,
      seconds: this.#seconds,
    });
    return undefined;
  }

  /** What is left of a refused batch; nothing if the import is to stop. */
  #refuse({ ratings, firstRow, position }: Batch, refusal: Failure): Batch | undefined {
    try {
      const rest = this.#skips.refuse(refusal, ratings, 'ratings');
      return rest.length > 0 ? makeBatch(firstRow, rest, position, this.#batchOptions) : undefined;
    } catch (error) {
      this.#stopped ??= error as Failure;
      return undefined;
    }
  }

  #howToGoOn(failure: Failure): Failure {
    const learned = this.#accepted + this.#duplicates;
    return withAdvice(
      failure,
      learned > 0
        ? `to go on, run the same command again: ${formatCount(learned)} ratings are learned, and not learned twice`
        : 'nothing is learned yet',
    );
  }
}
