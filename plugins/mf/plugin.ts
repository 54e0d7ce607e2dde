import { definePlugin } from '../contract/index.ts';
import { configSchema } from './config.ts';
import { kernels } from './kernels.ts';
import { FactorLearner } from './learner.ts';
import { scorer } from './scorer.ts';
import { tables } from './tables.ts';

export default definePlugin({
  name: 'mf',
  summary: 'Biased matrix factorization, learned online: predicts ratings, and ranks by taste and popularity.',
  stateVersion: 1,
  config: configSchema,
  tables,
  kernels,
  retracts: 'approximate',
  scorer,
  learner: (context) => new FactorLearner(context),
});
