import type { Random } from '../../plugins/contract/index.ts';
import type { Ranked } from './ranking.ts';

/**
 * Two lists in one, by team draft (Radlinski, Kurup & Joachims 2008): the lists take turns, a coin saying in every round which
 * is first, and each takes its best item that is not taken yet. What is clicked on is credited to the list that brought it.
 * Neither has an advantage: were both rankings as good, each item of a round would be as likely to be either's.
 */

export interface Drafted {
  readonly item: Ranked;
  /** Which of the lists brought it. */
  readonly team: 0 | 1;
}

/** At most `count` items. `lists`: at least `count` of the best by each, where there are as many. */
export function teamDraft(
  lists: readonly [readonly Ranked[], readonly Ranked[]],
  count: number,
  random: Random,
): Drafted[] {
  const taken = new Set<number>();
  const drafted: Drafted[] = [];
  const next = [0, 0];
  const take = (team: 0 | 1) => {
    const list = lists[team];
    while (next[team] < list.length && taken.has(list[next[team]].row)) next[team]++;
    if (drafted.length === count || next[team] === list.length) return;
    const item = list[next[team]];
    taken.add(item.row);
    drafted.push({ item, team });
  };
  for (let before = -1; drafted.length < count && drafted.length > before; ) {
    before = drafted.length;
    const first = (random.next() >>> 31) as 0 | 1;
    take(first);
    take((1 - first) as 0 | 1);
  }
  return drafted;
}
