import type { Random } from '../../plugins/contract/index.ts';
import { NO_TEAM } from '../memory/ledger/answers.ts';
import type { Ranked } from './ranking.ts';

/**
 * Two lists in one, by team draft (Radlinski, Kurup & Joachims 2008): the lists take turns, a coin saying in every round which
 * is first, and each takes its best item that is not taken yet. What is clicked on is credited to the list that brought it.
 * Neither has an advantage: were both rankings as good, each item of a round would be as likely to be either's.
 *
 * An item that is the best left of both lists gets its place before they draft on, and is nobody's: only the coin could say
 * whose it is, so that its clicks would tell nothing.
 */

export interface Drafted {
  readonly item: Ranked;
  /** Which of the lists brought it; `NO_TEAM`: both. */
  readonly team: number;
}

type Lists = readonly [readonly Ranked[], readonly Ranked[]];

/** At most `count` items. `lists`: at least `count` of the best by each, where there are as many. */
export function teamDraft(lists: Lists, count: number, random: Random): Drafted[] {
  const taken = new Set<number>();
  const drafted: Drafted[] = [];
  const next = [0, 0];
  const best = (team: number): Ranked | undefined => {
    const list = lists[team];
    while (next[team] < list.length && taken.has(list[next[team]].row)) next[team]++;
    return list[next[team]];
  };
  const take = (item: Ranked | undefined, team: number) => {
    if (!item || drafted.length === count) return;
    taken.add(item.row);
    drafted.push({ item, team });
  };
  for (let before = -1; drafted.length < count && drafted.length > before; ) {
    before = drafted.length;
    const [one, other] = [best(0), best(1)];
    if (one && one.row === other?.row) {
      take(one, NO_TEAM);
      continue;
    }
    const first = random.next() >>> 31;
    take(best(first), first);
    take(best(1 - first), 1 - first);
  }
  return drafted;
}
