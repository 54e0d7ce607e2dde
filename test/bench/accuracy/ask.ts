import type { Ratings } from '../../data.ts';
import type { Client } from '../../support/client.ts';

/** Questions to a server about ratings that it has not learned. */

/** Items that one call names at most. */
const ITEMS_MAX = 1000;
const IN_FLIGHT = 16;

export interface Asking {
  /** The default one unless set. */
  readonly model?: string;
  /** Seconds since 1970: as of when. */
  readonly time: number;
}

/** What a user would give each of some items; NaN where the model does not say. */
export async function predict(
  client: Client,
  user: number,
  items: readonly number[],
  { model, time }: Asking,
): Promise<number[]> {
  const expected = new Map<string, number>();
  for (let from = 0; from < items.length; from += ITEMS_MAX) {
    const candidateItemIds = items.slice(from, from + ITEMS_MAX).map(String);
    const found = await client.recommend(`${user}`, {
      model,
      candidateItemIds,
      pageSize: candidateItemIds.length,
      includeSeen: true,
      eventTime: at(time),
    });
    for (const { itemId, predictedValue } of found.items) expected.set(itemId, predictedValue ?? Number.NaN);
  }
  return items.map((item) => expected.get(`${item}`) ?? Number.NaN);
}

/** The first ten items for a user, of all or of some. */
export async function listFor(
  client: Client,
  user: number,
  { model, time }: Asking,
  candidates: readonly number[] = [],
): Promise<number[]> {
  const candidateItemIds = candidates.map(String);
  const { items } = await client.recommend(`${user}`, { model, candidateItemIds, pageSize: 10, eventTime: at(time) });
  return items.map(({ itemId }) => Number(itemId));
}

/** The place, from 0, of an item in a list; infinite where it is not in it. */
export function placeIn(list: readonly number[], item: number): number {
  const place = list.indexOf(item);
  return place < 0 ? Number.POSITIVE_INFINITY : place;
}

/** Squared errors of a model at `held`, rating by rating, each user asked as of `timeOf`. */
export async function squaredErrors(
  client: Client,
  held: Ratings,
  timeOf: (user: number) => number,
  model: string,
): Promise<Float64Array> {
  const squared = new Float64Array(held.count);
  const byUser = Map.groupBy(held.user.keys(), (place) => held.user[place]);
  await inTurn([...byUser], async ([user, places]) => {
    const items = places.map((place) => held.item[place]);
    const expected = await predict(client, user, items, { model, time: timeOf(user) });
    for (const [n, place] of places.entries()) squared[place] = (held.value[place] - expected[n]) ** 2;
  });
  return squared;
}

/** Does something for each, several at a time. */
export async function inTurn<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await run(item);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** As of when each user is asked: when they last rated, and whoever did not, when anybody last did. */
export function lastTimes({ user, time, count }: Ratings): (user: number) => number {
  const last = new Map<number, number>();
  for (let n = 0; n < count; n++) last.set(user[n], time[n]);
  return (id) => last.get(id) ?? time[count - 1];
}

const at = (time: number) => ({ seconds: BigInt(time), nanos: 0 });
