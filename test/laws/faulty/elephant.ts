import { definePlugin } from '../../../plugins/contract/index.ts';
import honest, { type HonestLearning, learner } from './honest.ts';

/** Never forgets, and says that it does. */
export default definePlugin({
  ...honest,
  name: 'elephant',
  learner: (context: HonestLearning) => ({ learn: learner(context).learn, retract() {} }),
});

export const breaks = ['a retraction that is promised to be approximate takes back more than half'];
