import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, type HonestRefitting, learner, refit } from './honest.ts';

/** Keeps in a variable that a refit was begun, and learns otherwise from then on. */
const begun = new WeakSet<object>();

export default definePlugin({
  ...honest,
  name: 'refit-secret',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    const { memory, tables } = context;
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        if (begun.has(memory)) memory.f32[tables.users.column('vector')(event.user) >>> 2] += 1e-4;
      },
    };
  },
  *refit(context: HonestRefitting) {
    begun.add(context.memory);
    yield* refit(context);
  },
});

export const breaks = ['a refit can be left off, and all state is in tables then too'];
