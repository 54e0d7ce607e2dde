import { NO_ROW, type ScoreContext, type Scorer } from '../../../plugins/contract/index.ts';
import { directions } from './directions.ts';
import { likingOf } from './liking.ts';
import type { Config, Tables } from './tables.ts';

export function scorer(context: ScoreContext<Config, Tables, unknown>): Scorer {
  const { config, tables, history } = context;
  const { likeness, clear, add, rank } = directions(context);

  /** Calls `visit` with the items that a user rated last, and how much they were liked. */
  function eachRecent(user: number, visit: (item: number, liking: number) => void): void {
    const count = history.userCount(user);
    for (let n = Math.max(0, count - config.recent); n < count; n++) {
      const row = history.ofUser(user, n);
      const item = history.item(row);
      // The row may be being written just now.
      if (item < tables.items.rows) visit(item, likingOf({ value: history.value(row), weight: history.weight(row) }));
    }
  }

  return {
    score({ user }, ...asked) {
      clear();
      eachRecent(user, add);
      rank(...asked);
    },

    explain({ user }, item) {
      const parts: { item: number; value: number }[] = [];
      eachRecent(user, (rated, liking) => parts.push({ item: rated, value: liking * likeness(rated, item) }));
      return parts.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    },

    similar(item, ...asked) {
      clear();
      if (item !== NO_ROW) add(item, 1);
      rank(...asked);
    },

    session({ items }, ...asked) {
      clear();
      for (const item of items.subarray(-config.recent)) add(item, 1);
      rank(...asked);
    },

    vectors: { width: config.width, of: tables.items.column('sum') },
  };
}
