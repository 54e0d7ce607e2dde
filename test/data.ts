import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Ratings as columns, in the order of (time, place in the file). */
export interface Ratings {
  readonly count: number;
  readonly user: Uint32Array;
  readonly item: Uint32Array;
  /** On the scale of the data set. */
  readonly value: Float64Array;
  /** Seconds since 1970; 0 where the set has no times. */
  readonly time: Float64Array;
}

/** A data set that may be missing. `skip` suits the option of `test` that has this name. */
export type Found = { skip: false; ratings: Ratings } | { skip: string; ratings?: undefined };

export interface Movie {
  readonly item: number;
  readonly title: string;
  readonly genres: readonly string[];
}

const SMALL = new URL('./data/ml-latest-small/', import.meta.url);
const SHARED = process.env.ACCRETE_SHARED_DATA ?? fileURLToPath(new URL('../../shared/data', import.meta.url));
/** Bounds what one decompressed file may hold. */
const TEXT_BYTES_MAX = 256 * 2 ** 20;

/** MovieLens latest-small: 100,836 ratings, .5 to 5, of 610 users and 9,724 items. Always there. */
export function readMovieLensSmall(): Ratings {
  return parseRatings(readFileSync(new URL('ratings.csv', SMALL), 'utf8'), ',');
}

/** The same, as those that may be missing are found. */
export function findMovieLensSmall(): Found {
  return { skip: false, ratings: readMovieLensSmall() };
}

/** The 9,742 movies of MovieLens latest-small, those without ratings included. */
export function readMovies(): Movie[] {
  const lines = readFileSync(new URL('movies.csv', SMALL), 'utf8').trimEnd().split(/\r?\n/).slice(1);
  return lines.map((line) => {
    const [, item, quoted, plain, genres] = /^(\d+),(?:"(.*)"|([^"]*)),([^,]*)$/.exec(line) ?? [];
    const title = quoted?.replaceAll('""', '"') ?? plain;
    if (title === undefined || genres === undefined) throw new Error(`movies.csv: cannot read the line ${line}`);
    return { item: Number(item), title, genres: genres === '(no genres listed)' ? [] : genres.split('|') };
  });
}

/** MovieLens 100K: 100,000 ratings, 1 to 5, of 943 users and 1,682 items; or one of its folds, such as `u1.base`. */
export function find100k(file = 'u.data'): Found {
  return find(`ml-100k/${file}`, '\t');
}

/** The first 487,650 ratings of MovieLens 1M, 1 to 5, those of users 1 to 2,999 on 3,615 items. */
export function find1mHalf(): Found {
  return find('ml-1m/ratings_users1-2999_timed.csv.xz', ',');
}

/** MovieLens 1M: 1,000,209 ratings, 1 to 5, of 6,040 users and 3,706 items, without times, in the file's order. */
export function find1m(): Found {
  return find('ml-1m/ratings_notime.csv.xz', ',');
}

function find(name: string, separator: string): Found {
  const path = `${SHARED}/${name}`;
  if (!existsSync(path)) return { skip: `${name} is not in ${SHARED} (see test/data/README.md)` };
  if (!path.endsWith('.xz')) return { skip: false, ratings: parseRatings(readFileSync(path, 'utf8'), separator) };
  const { error, status, stdout, stderr } = spawnSync('xz', ['--decompress', '--stdout', path], {
    encoding: 'utf8',
    maxBuffer: TEXT_BYTES_MAX,
  });
  if (error) return { skip: `${name} needs the command xz: ${error.message}` };
  if (status !== 0) throw new Error(`xz cannot read ${path}: ${stderr}`);
  return { skip: false, ratings: parseRatings(stdout, separator) };
}

/** Reads lines of user, item, value and, where the set has it, time; a first line that is no rating is a header. */
export function parseRatings(text: string, separator: string): Ratings {
  const lines = text.trimEnd().split('\n');
  if (!/^\d/.test(lines[0] ?? '')) lines.shift();
  const count = lines.length;
  const [user, item] = [new Uint32Array(count), new Uint32Array(count)];
  const [value, time] = [new Float64Array(count), new Float64Array(count)];
  for (const [row, line] of lines.entries()) {
    const cells = line.split(separator);
    // A carriage return at the end of a line is no part of the number before it.
    if (cells.length < 3 || !cells.every((cell) => Number.isFinite(Number(cell))))
      throw new Error(`rating ${row + 1} cannot be read: ${line}`);
    user[row] = Number(cells[0]);
    item[row] = Number(cells[1]);
    value[row] = Number(cells[2]);
    time[row] = Number(cells[3] ?? 0);
  }
  const order = new Uint32Array(count).map((_, row) => row).sort((a, b) => time[a] - time[b] || a - b);
  const sorted = <Column extends Uint32Array | Float64Array>(column: Column) =>
    column.map((_, place) => column[order[place]]) as Column;
  return { count, user: sorted(user), item: sorted(item), value: sorted(value), time: sorted(time) };
}

/** Those ratings of `data` whose places are chosen, in their order. */
export function choose({ user, item, value, time }: Ratings, isChosen: (place: number) => boolean): Ratings {
  const of = <Column extends Uint32Array | Float64Array>(column: Column) =>
    column.filter((_, place) => isChosen(place)) as Column;
  const chosen = of(user);
  return { count: chosen.length, user: chosen, item: of(item), value: of(value), time: of(time) };
}
