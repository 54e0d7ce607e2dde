import { type Contribution, type Query, type Scorer, WITHOUT_MAX } from '../../plugins/contract/index.ts';
import type { Score } from '../models/scores.ts';
import type { Ranked } from './ranking.ts';

/**
 * Which few ratings hold an item up in an answer: the fewest whose retraction would have it drop out (PRINCE: Ghazimatin,
 * Balalau, Saha Roy & Weikum 2020).
 *
 * An item drops out of the best K only if some item from below passes it. The fewest ratings for that are those that add
 * most to the one and least to the other, by their explanations: the least such set over all rivals is tried first, by
 * ranking again without it, then the next. What is told has been found true so. No fewer would do where scores are sums of
 * what is explained and one item is asked for; with more of them, other items of the answer may fall before it does. Items
 * whose ratings are taken back are not counted as candidates, which could only push the item further down.
 */

/** How many items from below are looked at as rivals. */
export const RIVALS = 30;
/** How often it is ranked again for an answer, at most: then what is left is not known. */
const TRIES_MAX = 60;
const TRIES_PER_ITEM = 4;

export interface Answer {
  readonly scorer: Scorer;
  readonly query: Query;
  /** How many items an answer has. */
  readonly count: number;
  /** The best of what the answer was chosen from, by a score. */
  readonly rank: (score: Score, count: number) => readonly Ranked[];
}

/** The items whose ratings hold an item of the answer up; none: not known. */
export function counterfactuals({ scorer, query, count, rank }: Answer): (item: number) => readonly number[] {
  const { explain, without } = scorer;
  if (!explain || !without) return () => [];
  const best = rank((...asked) => scorer.score(query, ...asked), count + RIVALS);
  const shares = remembering((item: number) => sharesOf(explain.call(scorer, query, item)));
  let tries = TRIES_MAX;

  /** Whether an item is among the best even without some ratings. */
  function stays(item: number, rated: readonly number[]): boolean {
    const rows = Uint32Array.from(rated);
    const score: Score = (...asked) => without?.call(scorer, query, rows, ...asked);
    return rank(score, count).some(({ row }) => row === item);
  }

  return (item) => {
    const own = best.find(({ row }) => row === item);
    if (!own) return [];
    const sets = best.slice(count).flatMap(({ row, score }) => {
      const found = fewestBetween(shares(item), shares(row), own.score - score);
      return found.length > 0 ? [found] : [];
    });
    const distinct = new Map(sets.map((set) => [set.toSorted((a, b) => a - b).join(), set]));
    const inOrder = [...distinct.values()].sort((a, b) => a.length - b.length);
    for (const set of inOrder.slice(0, TRIES_PER_ITEM)) {
      if (tries-- <= 0) return [];
      if (!stays(item, set)) return set;
    }
    return [];
  };
}

/** What each rating adds to a score. */
function sharesOf(parts: readonly Contribution[]): ReadonlyMap<number, number> {
  return new Map(parts.flatMap((part) => ('item' in part ? [[part.item, part.value]] : [])));
}

/** The fewest ratings that add more than `lead` more to the one than to the other; none when there are not, or too many. */
function fewestBetween(
  own: ReadonlyMap<number, number>,
  rival: ReadonlyMap<number, number>,
  lead: number,
): readonly number[] {
  const gains = [...own].map(([item, value]) => ({ item, gain: value - (rival.get(item) ?? 0) }));
  const found: number[] = [];
  let left = lead;
  for (const { item, gain } of gains.sort((a, b) => b.gain - a.gain)) {
    if (gain <= 0 || found.length === WITHOUT_MAX) return [];
    found.push(item);
    left -= gain;
    if (left < 0) return found;
  }
  return [];
}

function remembering<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
