import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Takes the number of a row for a property of its user. */
export default definePlugin({
  ...honest,
  name: 'row-reader',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    const { memory, tables } = context;
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        memory.f32[tables.users.column('vector')(event.user) >>> 2] += 1e-4 * event.user;
      },
    };
  },
});

export const breaks = [
  'numbers of rows and revisions mean nothing',
  'events are nothing to a model that does not learn them',
];
