import { definePlugin } from '../../../plugins/contract/index.ts';
import popularity from '../../../plugins/popularity/plugin.ts';

/** Takes ratings back and keeps events. */
export default definePlugin({
  ...popularity,
  name: 'hoarder',
  learner: (context: Parameters<typeof popularity.learner>[0]) => ({
    ...popularity.learner(context),
    retractEvent: () => {},
  }),
});

export const breaks = ['retracted events leave nothing where retractions are promised to be exact'];
