import type { Ratings } from '../data.ts';
import { randomNumbers } from '../support/ratings.ts';

/**
 * Shifts that are planted into real ratings: from a position on, for a share of the users, each item is better or worse by so
 * many stars than it was, either with the same chance; the scale bounds what comes of it. So the mean stays, and what was
 * learned of items, of those users and of who is like whom does not.
 */
export interface Shift {
  readonly seed: number;
  /** The number of the first rating that may be shifted. */
  readonly position: number;
  /** Stars. */
  readonly size: number;
  /** Of the users. */
  readonly share: number;
}

/** From where to where something is drawn. */
type Range = readonly [least: number, most: number];

export interface Band {
  readonly name: string;
  readonly size: Range;
  readonly share: Range;
}

/** Of the ratings. */
const POSITION: Range = [0.3, 0.6];

export function drawShift(seed: number, count: number, { size, share }: Band): Shift {
  const random = randomNumbers(seed);
  const within = ([least, most]: Range) => least + (most - least) * random();
  return { seed, position: Math.floor(count * within(POSITION)), size: within(size), share: within(share) };
}

/** All values as they would be, had it always been as it is after the shift. */
export function shiftedValues(
  { user, item, value, count }: Ratings,
  { seed, size, share }: Shift,
  [min, max]: Range,
): Float64Array {
  const random = randomNumbers(seed + 0x5eed);
  const isMoved = drawOnce(user, count, () => random() < share);
  const by = drawOnce(item, count, () => (random() < 0.5 ? -size : size));
  return value.map((stars, n) => {
    const moved = isMoved.get(user[n]) ? stars + (by.get(item[n]) ?? 0) : stars;
    return Math.max(min, Math.min(max, moved));
  });
}

/** For each id, in the order in which they come. */
function drawOnce<T>(ids: Uint32Array, count: number, draw: () => T): Map<number, T> {
  const drawn = new Map<number, T>();
  for (let n = 0; n < count; n++) if (!drawn.has(ids[n])) drawn.set(ids[n], draw());
  return drawn;
}
