import { createHash } from 'node:crypto';
import { RateStreamRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import type { FileRating } from './rating-row.ts';
import type { BadRow } from './row-reader.ts';
import { toTimestamp } from './time.ts';

/** Ratings that are sent, learned or refused together. */
export interface Batch {
  /** The place of its first row among the rows of the file, from 0. */
  readonly firstRow: number;
  readonly ratings: readonly FileRating[];
  /** The request, encoded. */
  readonly message: Buffer;
  /** How much of the file was read when it was complete; see `Rows`. */
  readonly position: number;
}

/** Rows that were read together, and how much of the file has been read with them, in whatever unit its total has. */
export interface Rows<Row = FileRating> {
  readonly rows: readonly (Row | BadRow)[];
  readonly position: number;
}

export interface BatchOptions {
  /** Rows in a batch. */
  readonly size: number;
  /** Tells apart two imports of one file, which are one otherwise. */
  readonly run: string;
  /** Models whose predictions are wanted. */
  readonly returnPredictions: readonly string[];
}

/** Printable, and as many characters as a request id may have at most, less a few. */
const REQUEST_ID_LENGTH = 32;

/**
 * Cuts a file into batches: always at the same rows, so that a batch is the same in another import of the file, whatever
 * became of the rows before it. Bad rows are given to `onBadRow`, and left out if that returns.
 */
export async function* makeBatches(
  file: AsyncIterable<Rows>,
  options: BatchOptions,
  onBadRow: (row: BadRow) => void,
): AsyncGenerator<Batch> {
  let row = 0;
  const ratings: FileRating[] = [];
  let position = 0;
  const complete = () =>
    makeBatch(Math.floor((row - 1) / options.size) * options.size, ratings.splice(0), position, options);
  for await (const read of file) {
    position = read.position;
    for (const each of read.rows) {
      if ('problem' in each) onBadRow(each);
      else ratings.push(each);
      if (++row % options.size === 0 && ratings.length > 0) yield complete();
    }
  }
  if (ratings.length > 0) yield complete();
}

/**
 * A batch with its request id: a hash of what is in it and of its place. So a batch that is sent again, by this import
 * or by the next one of the same file, is recognised by the server and not learned twice.
 */
export function makeBatch(
  firstRow: number,
  ratings: readonly FileRating[],
  position: number,
  options: BatchOptions,
): Batch {
  const body = encode({ ratings: ratings.map(toRating) });
  const hash = createHash('sha256')
    .update(JSON.stringify([options.run, firstRow]))
    .update(body);
  const requestId = hash.digest('base64url').slice(0, REQUEST_ID_LENGTH);
  // Encoded messages, one after the other, are one message with the fields of both.
  const message = Buffer.concat([body, encode({ requestId, returnPredictions: [...options.returnPredictions] })]);
  return { firstRow, ratings, message, position };
}

function encode(fields: Partial<RateStreamRequest>): Uint8Array {
  return RateStreamRequest.encode({
    requestId: '',
    ratings: [],
    validateOnly: false,
    returnPredictions: [],
    ...fields,
  }).finish();
}

function toRating({ user, item, time, ...rating }: FileRating): RateStreamRequest['ratings'][number] {
  const { value, weight, kind, retract, recommendationId } = rating;
  const eventTime = time && toTimestamp(time);
  return { userId: user, itemId: item, value, eventTime, kind, weight, recommendationId, retract };
}
