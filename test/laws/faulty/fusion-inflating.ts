import { z } from 'zod';
import { definePlugin, f64, SUM } from '../../../plugins/contract/index.ts';

/** Counts ratings of items, and one more of each whenever it was fused. */
export default definePlugin({
  name: 'fusion-inflating',
  summary: 'Counts of ratings.',
  stateVersion: 1,
  config: z.strictObject({ seed: z.int().default(1).meta({ description: 'Nothing is drawn.' }) }),
  tables: () => ({ items: { index: 'item', columns: { count: f64() } } }) as const,
  retracts: 'exact',
  ranksStrangers: true,
  scorer: ({ tables: { items }, memory, scores }) => {
    const count = items.column('count');
    return {
      score(_query, spans, spanCount, out) {
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++)
          for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = memory.f64[count(row) >>> 3];
      },
    };
  },
  learner: ({ tables: { items }, memory, history }) => {
    const count = items.column('count');
    return {
      learn({ item, previous }) {
        memory.f64[count(item) >>> 3] = history.itemCount(item) + (previous ? 0 : 1);
      },
      retract({ item }) {
        memory.f64[count(item) >>> 3] = history.itemCount(item);
      },
    };
  },
  fusion: () => ({
    columns: { 'items.count': SUM },
    settle({ tables, memory, items }) {
      for (let item = 0; item < items; item++) memory.f64[tables.items.column('count')(item) >>> 3]++;
    },
  }),
});

export const breaks = ['a model to whose counts nothing is added says what it said'];
