import { z } from 'zod';
import { definePlugin, f64, NO_ROW } from '../../../plugins/contract/index.ts';

/**
 * Expects of every user the mean of their ratings so far, and 3 of strangers: simple enough to be known by heart.
 * Ranks items by the sum of their ratings.
 */

const tables = {
  users: { index: 'user', columns: { sum: f64(), count: f64() } },
  items: { index: 'item', columns: { sum: f64() } },
} as const;

export default definePlugin({
  name: 'mean',
  summary: 'The mean of the ratings of a user, for tests.',
  stateVersion: 1,
  config: z.strictObject({ seed: z.int().default(1) }),
  tables: () => tables,
  retracts: 'exact',
  scorer: ({ tables: { users, items }, memory, scores }) => {
    const sum = users.column('sum');
    const count = users.column('count');
    const itemSum = items.column('sum');
    return {
      score(_query, spans, spanCount, out) {
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++) {
          for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) {
            scores[at++] = memory.f64[itemSum(row) >>> 3];
          }
        }
      },
      predict({ user }) {
        const rated = user === NO_ROW ? 0 : memory.f64[count(user) >>> 3];
        return rated === 0 ? 3 : memory.f64[sum(user) >>> 3] / rated;
      },
    };
  },
  learner: ({ tables: { users, items }, memory }) => {
    const sum = users.column('sum');
    const count = users.column('count');
    const itemSum = items.column('sum');
    const add = (user: number, item: number, value: number, sign: number) => {
      memory.f64[sum(user) >>> 3] += sign * value;
      memory.f64[count(user) >>> 3] += sign;
      memory.f64[itemSum(item) >>> 3] += sign * value;
    };
    return {
      learn({ user, item, value, previous }) {
        if (previous) add(user, item, previous.value, -1);
        add(user, item, value, 1);
      },
      retract: ({ user, item, value }) => add(user, item, value, -1),
    };
  },
});
