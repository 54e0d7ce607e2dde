import { z } from 'zod';
import { definePlugin, f64 } from '../../../plugins/contract/index.ts';

/** Counts what it learns, until a rating of weight 10: learning that throws. */

export default definePlugin({
  name: 'throwing',
  summary: 'Throws, for tests.',
  stateVersion: 1,
  config: z.strictObject({ seed: z.int().default(1) }),
  tables: () => ({ model: { index: 'model', columns: { learned: f64() } } }) as const,
  retracts: 'none',
  scorer: () => ({ score: () => {} }),
  learner: ({ tables, memory }) => ({
    learn({ weight }) {
      memory.f64[tables.model.column('learned')(0) >>> 3]++;
      if (weight === 10) throw new Error('a rating of weight 10');
    },
  }),
});
