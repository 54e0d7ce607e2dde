import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Counts in a variable, which a restart forgets. */
export default definePlugin({
  ...honest,
  name: 'secret-counter',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    const { memory, tables } = context;
    let events = 0;
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        memory.f32[tables.users.column('vector')(event.user) >>> 2] += 1e-6 * events++;
      },
    };
  },
});

export const breaks = ['all state is in tables', 'a refit can be left off, and all state is in tables then too'];
