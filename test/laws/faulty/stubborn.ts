import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Stays with the first rating. */
export default definePlugin({
  ...honest,
  name: 'stubborn',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    return {
      ...inner,
      learn(event) {
        if (event.previous === undefined) inner.learn(event);
      },
    };
  },
});

export const breaks = ['an edit reaches the model'];
