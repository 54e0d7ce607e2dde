import { definePlugin } from '../contract/index.ts';
import { configSchema } from './config.ts';

/** Of an input that does not answer. */
const NOTHING = -1e30;

/**
 * Another model's ranking, explored: each place of a list goes with chance epsilon to any of the items that are left, all as
 * likely, else to the best of them (epsilon-greedy: Sutton & Barto 1998, section 2.2; place by place as in cascading bandits,
 * Kveton et al. 2015). It has no state: what is learned, its input learns.
 */
export default definePlugin({
  name: 'epsilon-greedy',
  summary:
    "Another model's ranking, of which some places go to any item: so that what nobody is shown is learned of, too.",
  stateVersion: 1,
  config: configSchema,
  tables: () => ({}) as const,
  inputs: ({ model }) => [model],
  retracts: 'exact',

  scorer({ config: { epsilon }, inputs: [input], scores }) {
    return {
      score(query, spans, spanCount, out) {
        if (input.score('', query, spans, spanCount, out)) return;
        let count = 0;
        for (let span = 0; span < spanCount; span++) count += spans[2 * span + 1] - spans[2 * span];
        scores.fill(NOTHING, out >>> 2, (out >>> 2) + count);
      },
      explores: { by: 'epsilon', epsilon },
    };
  },

  learner: () => ({ learn() {}, retract() {} }),
  fusion: () => 'it has no state of its own: fuse its input',
});
