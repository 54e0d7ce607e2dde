import type { Plugin } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { FeedbackLearner } from './feedback/learner.ts';
import { feedbackRefit } from './feedback/refit.ts';
import { feedbackScorer } from './feedback/scorer.ts';
import { feedbackTables } from './feedback/tables.ts';
import { fusion } from './fusion.ts';
import { IalsLearner } from './ials/learner.ts';
import { ialsRefit } from './ials/refit.ts';
import { ialsScorer } from './ials/scorer.ts';
import { ialsTables } from './ials/tables.ts';
import type { MfKernels } from './kernels.ts';
import { FactorLearner } from './learner.ts';
import { refit } from './refit.ts';
import { scorer } from './scorer.ts';
import { type MfTables, tables } from './tables.ts';

type Parts = Required<
  Pick<Plugin<MfConfig, MfTables, MfKernels>, 'tables' | 'scorer' | 'learner' | 'refit' | 'fusion'>
>;

/** Continues "since". */
const notFused = () =>
  'what its tables mean is declared for the objective `rating` alone; a refit learns all that is live';

const rating: Parts = { tables, scorer, learner: (context) => new FactorLearner(context), refit, fusion };
const feedback: Parts = {
  tables: feedbackTables,
  scorer: feedbackScorer,
  learner: (context) => new FeedbackLearner(context),
  refit: feedbackRefit,
  fusion: notFused,
};
const ials: Parts = {
  tables: ialsTables,
  scorer: ialsScorer,
  learner: (context) => new IalsLearner(context),
  refit: ialsRefit,
  fusion: notFused,
};

/** What learns each objective, and ranks by it. */
const PARTS: Readonly<Record<MfConfig['objective'], Parts>> = {
  rating,
  logistic: feedback,
  bpr: feedback,
  warp: feedback,
  ials,
};

export const partsOf = ({ objective }: Pick<MfConfig, 'objective'>): Parts => PARTS[objective];
