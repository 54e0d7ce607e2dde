import { definePlugin } from '../../../plugins/contract/index.ts';
import popularity from '../../../plugins/popularity/plugin.ts';

/** Weighs events by the engine's draws. */
export default definePlugin({
  ...popularity,
  name: 'event-dice',
  retracts: 'approximate',
  learner: (context: Parameters<typeof popularity.learner>[0]) => {
    const inner = popularity.learner(context);
    return {
      ...inner,
      learnEvent: (event) => inner.learnEvent?.({ ...event, weight: event.weight * (1 + Math.random()) }),
    };
  },
});

export const breaks = [
  'the same events give the same bytes',
  'numbers of rows and revisions mean nothing',
  'all state is in tables',
];
