import { definePlugin } from '../../../plugins/contract/index.ts';
import popularity from '../../../plugins/popularity/plugin.ts';

/** Says that it learns from events, and passes them over. */
export default definePlugin({
  ...popularity,
  name: 'deaf-to-events',
  learner: (context: Parameters<typeof popularity.learner>[0]) => ({
    ...popularity.learner(context),
    learnEvent: () => {},
    retractEvent: () => {},
  }),
});

export const breaks = ['an event reaches the model that learns events'];
