import { z } from 'zod';
import { definePlugin, f64 } from '../../../plugins/contract/index.ts';

/** Ends the thread that learns a rating of weight 10: the worst that a plugin can do. */

export default definePlugin({
  name: 'fatal',
  summary: 'Takes the learner down, for tests.',
  stateVersion: 1,
  config: z.strictObject({ seed: z.int().default(1) }),
  tables: () => ({ model: { index: 'model', columns: { unused: f64() } } }) as const,
  retracts: 'none',
  scorer: () => ({ score: () => {} }),
  learner: () => ({
    learn({ weight }) {
      if (weight === 10) process.exit(1);
    },
  }),
});
