import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Touches rows of a table that it does not declare as sampled. */
export default definePlugin({
  ...honest,
  name: 'undeclared-sampler',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        context.touch('users', 0);
      },
    };
  },
});

export const breaks = ['an event changes no row that it does not name'];
