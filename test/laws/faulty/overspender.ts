import { definePlugin, u32 } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Makes a row more for every event than it says. */
export default definePlugin({
  ...honest,
  name: 'overspender',
  tables: () => ({ ...honest.tables({ seed: 1 }), notes: { index: 'pool', perEvent: 1, columns: { user: u32() } } }),
  learner: ({ append, ...context }: HonestLearning & { append(pool: string): number }) => {
    const inner = learner(context as HonestLearning);
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        for (let n = 0; n < 2; n++) append('notes');
      },
    };
  },
});

export const breaks = ['an event makes no more rows of pools than it says, and a retraction none'];
