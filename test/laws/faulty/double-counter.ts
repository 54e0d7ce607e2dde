import { definePlugin } from '../../../plugins/contract/index.ts';
import popularity from '../../../plugins/popularity/plugin.ts';

/** Counts an edit as a rating of its own. */
export default definePlugin({
  ...popularity,
  name: 'double-counter',
  learner: (context: Parameters<typeof popularity.learner>[0]) => {
    const inner = popularity.learner(context);
    return { ...inner, learn: (event) => inner.learn({ ...event, previous: undefined }) };
  },
});

export const breaks = [
  'a retraction that is promised to be exact leaves nothing',
  'retracted events leave nothing where retractions are promised to be exact',
];
