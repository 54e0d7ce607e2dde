import { z } from 'zod';
import { definePlugin, f64 } from '../../../plugins/contract/index.ts';

/** Expects 2 of everything, until it has learned a rating of weight 10: then it expects no number any more. */

export default definePlugin({
  name: 'failing',
  summary: 'Diverges, for tests.',
  stateVersion: 1,
  config: z.strictObject({ seed: z.int().default(1) }),
  tables: () => ({ model: { index: 'model', columns: { expected: f64() } } }) as const,
  retracts: 'none',
  scorer: ({ tables, memory, scores }) => ({
    score: (_query, spans, spanCount, out) => {
      let at = out >>> 2;
      for (let span = 0; span < spanCount; span++) {
        for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = -row;
      }
    },
    predict: () => 2 + memory.f64[tables.model.column('expected')(0) >>> 3],
  }),
  learner: ({ tables, memory }) => ({
    learn({ weight }) {
      if (weight === 10) memory.f64[tables.model.column('expected')(0) >>> 3] = Number.NaN;
    },
  }),
});
