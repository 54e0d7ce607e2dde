import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner, predictor } from './honest.ts';

/** Takes a heavy rating for a step of any length. */
export default definePlugin({
  ...honest,
  name: 'overshooting',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    const { memory, tables } = context;
    const predict = predictor(tables, memory.f32);
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        if (event.weight < 5) return;
        const error = event.value - predict(event.user, event.item);
        const p = tables.users.column('vector')(event.user) >>> 2;
        memory.f32[p] += event.weight ** 3 * error * memory.f32[tables.items.column('vector')(event.item) >>> 2];
      },
    };
  },
});

export const breaks = ['state stays finite, whatever is sent', 'a refit stays finite, whatever was sent'];
