import type { Draws } from '../../server/experiments/statistics/testing/draws.ts';
import type { Ratings } from '../data.ts';
import type { BanditLog } from './open-bandit.ts';

/** Real users, of whom the users of simulated experiments are drawn: each is one of them, from the first event to the last. */
export interface Population {
  readonly name: string;
  readonly users: readonly (readonly Happening[])[];
}

/** A user is shown something, may click on it, and rates something. */
export interface Happening {
  readonly clicked: boolean;
  /** NaN: nothing was rated. */
  readonly value: number;
  /** What a model expected of it. */
  readonly expected: number;
  /** Where a model ranked it, from 1. */
  readonly rank: number;
}

/** What an arm changes: the chance of a click that would not be, the value of what is clicked, errors, and ranks beyond ten. */
export interface Lifts {
  readonly conversion: number;
  readonly mean_value: number;
  readonly rmse: number;
  readonly 'ndcg@10': number;
}

export type Lifted = keyof Lifts;

export const NO_LIFTS: Lifts = { conversion: 0, mean_value: 0, rmse: 0, 'ndcg@10': 0 };

/** Items that are clicked on when they are shown: the most rated ones. */
const CLICKED = 500;
/** Ratings of one user that are played: most have many more. */
const EVENTS_MAX = 30;
/** The rank that a lift brings an item to. */
const LIFTED_RANK = 3;

/** Users of a rating set, with a model that expects each item's mean and ranks by how often items were rated. */
export function ratingUsers(name: string, { count, user, item, value }: Ratings): Population {
  const [sums, counts] = [new Map<number, number>(), new Map<number, number>()];
  for (let n = 0; n < count; n++) {
    sums.set(item[n], (sums.get(item[n]) ?? 0) + value[n]);
    counts.set(item[n], (counts.get(item[n]) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const rankOf = new Map(byCount.map(([of], place) => [of, place + 1]));
  const happenings = Array.from({ length: count }, (_, n): Happening => {
    const rank = rankOf.get(item[n]) as number;
    const expected = (sums.get(item[n]) as number) / (counts.get(item[n]) as number);
    return { clicked: rank <= CLICKED, value: value[n], expected, rank };
  });
  const users = Map.groupBy(happenings.keys(), (n) => user[n]);
  return { name, users: Array.from(users.values(), (own) => own.slice(0, EVENTS_MAX).map((n) => happenings[n])) };
}

/** Of a log of clicks, in which nobody comes twice, and nothing is rated. */
export function clickUsers(name: string, { reward }: BanditLog): Population {
  const nothing = { value: Number.NaN, expected: Number.NaN, rank: Number.NaN };
  return { name, users: Array.from(reward, (click) => [{ ...nothing, clicked: click > 0 }]) };
}

/** What happens in an arm that does something. */
export function lift({ clicked, value, expected, rank }: Happening, lifts: Lifts, draws: Draws): Happening {
  const isClicked = clicked || (lifts.conversion > 0 && draws.uniform() < lifts.conversion);
  const more = isClicked ? lifts.mean_value : 0;
  const error = (value - expected) * Math.sqrt(1 - lifts.rmse);
  const isLifted = lifts['ndcg@10'] > 0 && rank > 10 && draws.uniform() < lifts['ndcg@10'];
  // A higher value is expected: its error is what it was.
  return {
    clicked: isClicked,
    value: value + more,
    expected: value + more - error,
    rank: isLifted ? LIFTED_RANK : rank,
  };
}
