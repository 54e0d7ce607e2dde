import { Failure } from '../failure.ts';
import { formatCount } from '../output.ts';
import type { Rows } from './batches.ts';
import { type RatingFormOptions, ratingForm } from './rating-form.ts';
import type { FileRating } from './rating-row.ts';
import { openRows } from './row-file.ts';
import type { BadRow } from './row-reader.ts';
import { nameOf } from './source.ts';
import { compareTimes, type Time } from './time.ts';

/** The rows of a file, in the order in which they are to be sent. */
export interface RatingsFile {
  readonly rows: AsyncIterable<Rows>;
  /** What `position` comes to at the end; undefined where that is not known beforehand. */
  readonly total: number | undefined;
}

export interface RatingsFileOptions extends RatingFormOptions {
  /** Absent: as the rows stand in the file. */
  readonly sort?: 'time';
}

/** Ratings that fit into the memory of a sort: about a gigabyte. */
const SORTED_MAX = 5_000_000;
/** Sorted rows are handed on in pieces of so many. */
const PIECE = 1000;

/** Opens a file of ratings. A sort reads it whole first, and gives the rows that it cannot place to `onBadRow`. */
export async function openRatings(
  path: string,
  { sort, ...options }: RatingsFileOptions,
  onBadRow: (row: BadRow) => void,
): Promise<RatingsFile> {
  const file = await openRows(path, ratingForm(options));
  if (!sort) return file;
  const ratings = await sortByTime(file.rows, path, onBadRow);
  return { rows: inPieces(ratings), total: ratings.length };
}

/** Ratings of one time stay in the order of the file. */
async function sortByTime(
  file: AsyncIterable<Rows>,
  path: string,
  onBadRow: (row: BadRow) => void,
): Promise<FileRating[]> {
  const found: { readonly time: Time; readonly rating: FileRating }[] = [];
  for await (const { rows } of file) {
    for (const row of rows) {
      if ('problem' in row) onBadRow(row);
      else if (row.time === undefined) onBadRow({ line: row.line, problem: 'has no time to sort by' });
      else found.push({ time: row.time, rating: row });
    }
    if (found.length > SORTED_MAX) throw tooLarge(path);
  }
  return found.sort((a, b) => compareTimes(a.time, b.time)).map(({ rating }) => rating);
}

function tooLarge(path: string): Failure {
  const message = `${nameOf(path)} has more than ${formatCount(SORTED_MAX)} ratings, too many to sort in memory`;
  return new Failure('TOO_LARGE', `${message}: sort the file first (\`sort -t, -k4,4n\`), and leave out --sort`);
}

/** The position is in ratings. */
async function* inPieces(ratings: readonly FileRating[]): AsyncGenerator<Rows> {
  for (let start = 0; start < ratings.length; start += PIECE) {
    const rows = ratings.slice(start, start + PIECE);
    yield { rows, position: start + rows.length };
  }
}
