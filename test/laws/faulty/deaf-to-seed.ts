import { definePlugin, Random } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Starts all alike and draws from a seed of its own, whatever the configuration says. */
export default definePlugin({
  ...honest,
  name: 'deaf-to-seed',
  learner: (context: HonestLearning) => {
    const { history, memory, tables } = context;
    const random = new Random();
    const start = (table: 'users' | 'items', row: number) => {
      const at = tables[table].column('vector')(row) >>> 2;
      memory.f32[at] = table === 'users' ? 0.3 : -0.2;
      memory.f32[at + 1] = 0.1;
    };
    const inner = learner({ ...context, random, reset: start });
    return {
      ...inner,
      learn(event) {
        random.key(1, event.time);
        if (history.userCount(event.user) === 0) start('users', event.user);
        if (history.itemCount(event.item) === 0) start('items', event.item);
        inner.learn(event);
      },
    };
  },
});

export const breaks = ['another seed draws other values'];
