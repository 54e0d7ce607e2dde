import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Learns by how many items there are, of which some have events alone. */
export default definePlugin({
  ...honest,
  name: 'head-counter',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    const { memory, tables } = context;
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        memory.f32[tables.users.column('vector')(event.user) >>> 2] += 1e-3 * tables.items.rows;
      },
    };
  },
});

export const breaks = [
  'numbers of rows and revisions mean nothing',
  'events are nothing to a model that does not learn them',
];
