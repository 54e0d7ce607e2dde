import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import type { Ratings } from '../data.ts';
import type { Client } from './client.ts';

/** A rating for a request. */
export function rating(userId: string, itemId: string, value: number | undefined, more: Partial<Rating> = {}): Rating {
  return Rating.fromPartial({ userId, itemId, value, ...more });
}

/** Takes a rating back. */
export function retraction(userId: string, itemId: string): Rating {
  return rating(userId, itemId, undefined, { retract: true });
}

/** A data set's ratings `from` up to `to`, as batches. */
export function* batchesOf(data: Ratings, from: number, to: number, size: number): Generator<Rating[]> {
  for (let start = from; start < to; start += size) {
    yield Array.from({ length: Math.min(size, to - start) }, (_, n) => ratingAt(data, start + n));
  }
}

function ratingAt({ user, item, value, time }: Ratings, n: number): Rating {
  const eventTime = { seconds: BigInt(time[n]), nanos: 0 };
  return rating(String(user[n]), String(item[n]), value[n], { eventTime });
}

/** Numbers that look random, from 0 up to 1: mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So many first ratings, user by user in turn, of values that users differ in: no two pairs are the same. */
export function manyRatings(count: number, { users = 40, from = 0 } = {}): Rating[] {
  return Array.from({ length: count }, (_, k) => {
    const n = from + k;
    const [user, item] = [n % users, Math.floor(n / users)];
    return rating(`u${user}`, `i${item}`, 1 + ((user + ((user * item) % 7) + item) % 5));
  });
}

/** Sends those of `manyRatings` from number `from` up to `to`, a hundred a call. */
export async function rateMany(client: Client, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 100) await client.rate(manyRatings(100, { from: n }));
}
