import { NO_ROW } from '../../plugins/contract/index.ts';
import type { World } from '../memory/world.ts';

/**
 * Says of item rows whether a user has seen them: rated them, or has an event with them whose kind hides. Of `NO_ROW`,
 * nobody has seen anything. To be used at once: it is what the lists say now.
 */
export function seenBy({ interactions, events, kinds }: World, user: number): (item: number) => boolean {
  if (user === NO_ROW) return () => false;
  const hidden = new Set<number>();
  if (kinds.hiding) {
    const { words } = events.byUser;
    const pairs = events.byUser.pairs(user);
    const end = pairs + 2 * events.byUser.countAt(pairs);
    for (let pair = pairs; pair < end; pair += 2) {
      if (kinds.of(events.kind(words[pair + 1])).hides) hidden.add(words[pair]);
    }
  }
  return (item) => hidden.has(item) || interactions.find(user, item) >= 0;
}
