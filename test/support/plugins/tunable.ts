import { z } from 'zod';
import { definePlugin, f64, NO_ROW, type SearchSpace } from '../../../plugins/contract/index.ts';

/** Expects of every user the mean of their ratings and a shift, so that 0 is best; and some settings that are no good at all. */

/** Tables whose rows are as long as they may be: more than a job has room for, of a few items. */
const huge = () => ({
  index: 'item' as const,
  columns: Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`c${n}`, f64(4096)])),
});

export default definePlugin({
  name: 'tunable',
  summary: 'The mean of the ratings of a user and a shift, for tests.',
  stateVersion: 1,
  config: z
    .strictObject({
      seed: z.int().default(1),
      shift: z.number().min(-4).max(4).default(0),
      /** Numbers of a user that nobody reads. */
      width: z.int().min(1).max(64).default(1),
      fails: z.enum(['no', 'learning', 'predicting', 'ranking', 'making', 'fitting']).default('no'),
      predicts: z.boolean().default(true),
      together: z.boolean().default(false),
    })
    .refine(({ together, width }) => !together || width > 1, 'together needs a width above 1'),
  tables: ({ width, fails }) => {
    if (fails === 'making') throw new RangeError('no such tables');
    return {
      users: { index: 'user', columns: { sum: f64(), count: f64(), more: f64(width) } },
      ...(fails === 'fitting' && { a: huge(), b: huge(), c: huge(), d: huge() }),
    } as const;
  },
  retracts: 'none',
  ranksStrangers: true,
  tuning: (_config, aim): SearchSpace => (aim === 'rating' ? { shift: { min: -2, max: 2 } } : {}),
  scorer: ({ config, tables: { users }, memory, scores }) => {
    const sum = users.column('sum');
    const count = users.column('count');
    return {
      score(_query, spans, spanCount, out) {
        if (config.fails === 'ranking') throw new RangeError('it cannot rank');
        let at = out >>> 2;
        // What is best for predictions ranks the latest items last.
        for (let span = 0; span < spanCount; span++)
          for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++)
            scores[at++] = config.shift === 0 ? -row : row;
      },
      ...(config.predicts && {
        predict({ user }: { readonly user: number }) {
          const rated = user === NO_ROW ? 0 : memory.f64[count(user) >>> 3];
          const mean = rated === 0 ? 3 : memory.f64[sum(user) >>> 3] / rated;
          return config.fails === 'predicting' && rated > 3 ? Number.NaN : mean + config.shift;
        },
      }),
    };
  },
  learner: ({ config, tables: { users }, memory }) => {
    const sum = users.column('sum');
    const count = users.column('count');
    const more = users.column('more');
    return {
      learn({ user, value }) {
        memory.f64[sum(user) >>> 3] += value;
        memory.f64[count(user) >>> 3]++;
        memory.f64[more(user) >>> 3] += config.shift;
        if (config.fails === 'learning' && memory.f64[count(user) >>> 3] > 3) throw new RangeError('it cannot learn');
      },
    };
  },
});
