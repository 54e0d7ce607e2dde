import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';

/**
 * What an evaluation of the plugin `mean` comes to, from the definition and without any code of the server: it predicts
 * a user's mean rating, 3 for strangers, and ranks items by the sum of their ratings.
 */

export interface Expected {
  /** `user item`, in any order. */
  readonly held: ReadonlyMap<
    string,
    { readonly value: number; readonly predicted: number; readonly rank: number; readonly history: number }
  >;
  readonly trainedCount: number;
}

interface Live {
  readonly user: string;
  readonly item: string;
  readonly value: number;
  readonly time: number;
  readonly arrival: number;
}

export type Choose = (live: readonly Live[]) => readonly Live[];

/** The latest of all by time, then by arrival. */
export const latest =
  (count: number): Choose =>
  (live) =>
    live.slice(live.length - count);

/** The latest of each user with two or more. */
export const lastOfEach: Choose = (live) =>
  live.filter(({ user }, n) => {
    const own = live.filter((other) => other.user === user);
    return own.length > 1 && own.at(-1) === live[n];
  });

export function expectMean(stream: readonly Rating[], choose: Choose): Expected {
  const live = replay(stream);
  const held = choose(live);
  const keys = new Set(held.map(keyOf));
  const taught = stream.filter(({ userId, itemId }) => !keys.has(`${userId} ${itemId}`));
  const trained = replay(taught);
  // Taking back what was never rated makes nothing known.
  const rated = new Set<string>();
  const items: string[] = [];
  for (const { userId, itemId, retract } of taught) {
    if (!retract) rated.add(`${userId} ${itemId}`);
    if (!retract && !items.includes(itemId)) items.push(itemId);
  }
  const sumOf = (item: string) => trained.filter((one) => one.item === item).reduce((sum, { value }) => sum + value, 0);
  const sums = new Map(items.map((item) => [item, sumOf(item)]));
  return {
    trainedCount: trained.length,
    held: new Map(
      held.map((one) => {
        const own = trained.filter(({ user }) => user === one.user);
        const unseen = items.filter((item) => !own.some((other) => other.item === item));
        const order = unseen.toSorted((a, b) => (sums.get(b) ?? 0) - (sums.get(a) ?? 0));
        const predicted = own.length === 0 ? 3 : own.reduce((sum, { value }) => sum + value, 0) / own.length;
        const rank = order.indexOf(one.item) + 1;
        return [
          keyOf(one),
          { value: one.value, predicted, rank: rank === 0 ? 0xffff_ffff : rank, history: own.length },
        ];
      }),
    ),
  };
}

/** What is live at the end, by time, then by first arrival. */
function replay(stream: readonly Rating[]): Live[] {
  const live = new Map<string, Live>();
  for (const [n, { userId: user, itemId: item, value = 0, eventTime, retract }] of stream.entries()) {
    const key = `${user} ${item}`;
    const arrival = live.get(key)?.arrival ?? n;
    if (retract) live.delete(key);
    else live.set(key, { user, item, value, time: Number(eventTime?.seconds), arrival });
  }
  return [...live.values()].sort((a, b) => a.time - b.time || a.arrival - b.arrival);
}

function keyOf({ user, item }: Pick<Live, 'user' | 'item'>): string {
  return `${user} ${item}`;
}
