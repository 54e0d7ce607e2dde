import { Failure } from '../failure.ts';
import { formatCount } from '../output.ts';
import type { Rows } from './batches.ts';
import type { Columns } from './columns.ts';
import { LineSplitter } from './lines.ts';
import { type BadRow, LayoutError, RatingReader } from './rating-reader.ts';
import type { FileRating } from './rating-row.ts';
import { nameOf, openSource, type Source } from './source.ts';

/** The rows of a file, in the order in which they are to be sent. */
export interface RatingsFile {
  readonly rows: AsyncIterable<Rows>;
  /** What `position` comes to at the end; undefined where that is not known beforehand. */
  readonly total: number | undefined;
}

export interface RatingsFileOptions {
  /** Which field is what; absent: the file says it, or it is as usual. */
  readonly columns?: Columns;
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
  { columns, sort }: RatingsFileOptions,
  onBadRow: (row: BadRow) => void,
): Promise<RatingsFile> {
  const source = await openSource(path);
  const rows = readRows(source, path, columns);
  if (!sort) return { rows, total: source.bytesTotal };
  const ratings = await sortByTime(rows, path, onBadRow);
  return { rows: inPieces(ratings), total: ratings.length };
}

/** The position is in bytes as stored. */
async function* readRows(source: Source, path: string, columns: Columns | undefined): AsyncGenerator<Rows> {
  const splitter = new LineSplitter();
  const reader = new RatingReader(columns);
  try {
    for await (const chunk of source.chunks) {
      yield { rows: reader.read(splitter.push(chunk)), position: source.bytesRead() };
    }
    yield { rows: [...reader.read(splitter.end()), ...reader.end()], position: source.bytesRead() };
  } catch (error) {
    throw error instanceof LayoutError ? new Failure('BAD_FILE', `${nameOf(path)} ${error.message}`) : error;
  }
}

/** Ratings of one time stay in the order of the file. */
async function sortByTime(
  file: AsyncIterable<Rows>,
  path: string,
  onBadRow: (row: BadRow) => void,
): Promise<FileRating[]> {
  const found: { readonly timeMs: number; readonly rating: FileRating }[] = [];
  for await (const { rows } of file) {
    for (const row of rows) {
      if ('problem' in row) onBadRow(row);
      else if (row.timeMs === undefined) onBadRow({ line: row.line, problem: 'has no time to sort by' });
      else found.push({ timeMs: row.timeMs, rating: row });
    }
    if (found.length > SORTED_MAX) throw tooLarge(path);
  }
  return found.sort((a, b) => a.timeMs - b.timeMs).map(({ rating }) => rating);
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
