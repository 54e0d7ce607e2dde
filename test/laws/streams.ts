import { Random } from '../../plugins/contract/index.ts';
import type { Rating } from './lab.ts';

/** Made-up ratings, a function of their seed. */

const DAY = 86_400;
const START = 1_000_000_000;

interface Size {
  readonly users: number;
  readonly items: number;
  readonly events: number;
}

export const user = (n: number) => `user-${n}`;
export const item = (n: number) => `item-${n}`;

/** First ratings, edits and retractions as they come, of any value, weight and time. */
export function mixedStream(seed: number, { users, items, events }: Size): Rating[] {
  const random = new Random();
  random.key(seed, 0);
  return Array.from({ length: events }, (_, n) => ({
    user: user(random.below(users)),
    item: item(random.below(items)),
    value: 1 + random.below(5),
    weight: (1 + random.below(8)) / 4,
    time: START + n * 3600 + random.below(DAY),
    retract: random.below(8) === 0,
  }));
}

const KINDS = ['buy', 'view', 'click'];

/** Every other one of `ratings` as an event of some kind (a retraction as that of all of the kind), most without a value. */
export function asEvents(ratings: readonly Rating[]): Rating[] {
  return ratings.map(({ value, ...rating }, n) => {
    if (n % 2 === 0) return { ...rating, value };
    const kind = KINDS[n % KINDS.length];
    return n % 5 === 0 ? { ...rating, kind, value } : { ...rating, kind };
  });
}

/** First ratings alone. */
export function firstRatings(seed: number, size: Size): Rating[] {
  const seen = new Set<string>();
  return mixedStream(seed, size).filter(({ user, item, retract }) => {
    const pair = `${user} ${item}`;
    if (retract || seen.has(pair)) return false;
    seen.add(pair);
    return true;
  });
}

/** What somebody would send to make a model diverge: extremes in turn, at the largest weight, again and again. */
export function hostileStream(events: number): Rating[] {
  const times = Math.ceil(events / 5);
  const each = (rating: (n: number) => Rating) => Array.from({ length: times }, (_, n) => rating(n));
  const extreme = (n: number) => ({ value: n % 2 === 0 ? 5 : 1, weight: 10, time: START + n });
  return [
    // One pair, edited.
    ...each((n) => ({ user: user(0), item: item(0), ...extreme(n) })),
    // One user, all items; one item, all users.
    ...each((n) => ({ user: user(0), item: item(n), ...extreme(n) })),
    ...each((n) => ({ user: user(n), item: item(0), ...extreme(n) })),
    // One pair, given and taken back.
    ...each((n) => ({ user: user(1), item: item(1), ...extreme(n >> 1), retract: n % 2 === 1 })),
    // Always the same, then the opposite.
    ...each((n) => ({
      user: user(n % 3),
      item: item(n % 2),
      value: n < times / 2 ? 5 : 1,
      weight: 10,
      time: START + n,
    })),
  ];
}

/** 5 where user and item are both even or both odd, 1 elsewhere; every seventh pair is withheld. 7 must not divide `side`. */
export function checkerboard(side: number): { shown: Rating[]; withheld: Rating[] } {
  const shown: Rating[] = [];
  const withheld: Rating[] = [];
  for (let step = 0; step < side; step++) {
    for (let u = 0; u < side; u++) {
      const i = (3 * u + 7 * step) % side;
      const rating = { user: user(u), item: item(i), value: (u + i) % 2 === 0 ? 5 : 1 };
      (step % 7 === 3 ? withheld : shown).push(rating);
    }
  }
  return { shown, withheld };
}

/**
 * Two circles: users and items are even or odd; everybody rates most items of their own side, with 5, and a few of the
 * other, with 1, so that both who rated and how tell the sides apart. All items have equally many ratings.
 */
export function circles(side: number): Rating[] {
  const pairs = Array.from({ length: side * side }, (_, n) => [Math.floor(n / side), (n * 7) % side]);
  return pairs.flatMap(([u, i]) => {
    const own = (u + i) % 2 === 0;
    // Along diagonals, so that every item is left out equally often.
    const place = Math.floor(((((u - i) % side) + side) % side) / 2) % 5;
    if (own ? place === 4 : place !== 4) return [];
    return [{ user: user(u), item: item(i), value: own ? 5 : 1 }];
  });
}
