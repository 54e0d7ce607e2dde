import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Draws from the engine: every law that compares two runs sees it. */
export default definePlugin({
  ...honest,
  name: 'dice',
  learner: (context: HonestLearning) => {
    const inner = learner(context);
    const { memory, tables } = context;
    return {
      ...inner,
      learn(event) {
        inner.learn(event);
        memory.f32[tables.users.column('vector')(event.user) >>> 2] += 1e-3 * Math.random();
      },
    };
  },
});

export const breaks = [
  'the same events give the same bytes',
  'numbers of rows and revisions mean nothing',
  'all state is in tables',
  'events are nothing to a model that does not learn them',
  'a refit gives the same bytes again',
  'a refit gives the same bytes when its device fails half way',
  'a refit can be left off, and all state is in tables then too',
];
