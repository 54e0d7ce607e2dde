import { readFile } from 'node:fs/promises';

/** Users from real ratings, and what they click on: of the experiment in `npm run demo:ab`. */

export interface RealRating {
  readonly userId: string;
  readonly itemId: string;
  readonly value: number;
  /** Seconds since 1970. */
  readonly time: number;
}

export interface Reader {
  readonly userId: string;
  /** What the user rated later, by item. */
  readonly later: ReadonlyMap<string, RealRating>;
}

/**
 * The click model: a list is looked at from its top, place n (from 1) with chance 1/n; what is looked at is clicked on with
 * these chances, by what the user really rated later (Joachims et al. 2017 fit places so).
 */
export const CLICKS = { liked: 0.6, rated: 0.1, other: 0.02 } as const;
/** A movie that got so many stars is liked. */
export const LIKED = 4;

/** The earlier half of what each user rated, in the order of time, and who the users are. */
export async function readReaders(path: string): Promise<{ earlier: RealRating[]; readers: Reader[] }> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1);
  const ratings = lines.map((line): RealRating => {
    const [userId, itemId, value, time] = line.split(',');
    return { userId, itemId, value: Number(value), time: Number(time) };
  });
  ratings.sort((a, b) => a.time - b.time);
  const byUser = Map.groupBy(ratings, ({ userId }) => userId);
  const readers = [...byUser].map(([userId, own]) => {
    const later = own.slice(own.length >>> 1);
    return { userId, later: new Map(later.map((rating) => [rating.itemId, rating])) };
  });
  const isLater = new Set(readers.flatMap(({ later }) => [...later.values()]));
  return { earlier: ratings.filter((rating) => !isLater.has(rating)), readers };
}

/** Which items of a list a user clicks on. `draw`: uniform over 0..1. */
export function clicksOf({ later }: Reader, list: readonly string[], draw: () => number): string[] {
  return list.filter((itemId, place) => {
    const value = later.get(itemId)?.value;
    const attraction = value === undefined ? CLICKS.other : value >= LIKED ? CLICKS.liked : CLICKS.rated;
    return draw() < attraction / (1 + place);
  });
}

/** The same draws every time (mulberry32, Ettinger 2017). */
export function drawsFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
