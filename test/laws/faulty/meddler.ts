import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Changes whoever rated the item before, too. */
export default definePlugin({
  ...honest,
  name: 'meddler',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    const { history, memory, tables } = context;
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        if (history.itemCount(event.item) === 0) return;
        const other = history.user(history.ofItem(event.item, 0));
        memory.f32[tables.users.column('vector')(other) >>> 2] *= 0.99;
      },
    };
  },
});

export const breaks = ['an event changes no row that it does not name'];
