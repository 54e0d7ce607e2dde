import { AccreteError, invalidField } from '../../errors.ts';
import { findMetric, type Metric } from '../evaluation/metrics.ts';
import type { Difference, Figure } from '../evaluation/report.ts';
import type { Meter } from '../meter.ts';
import { type ModelAnswers, NOT_RANKED } from './answer-sheet.ts';
import type { Decision } from './decision.ts';
import type { WindowAnswers } from './examine-window.ts';
import { PairedMeans, type PairedScores } from './paired-means.ts';

/** What the answers to a window come to: losses for a guard, and figures of both models for who asked. */

/** What a guard compares: of a rank the loss is what is missing to a hit. */
export interface Loss {
  readonly metric: Metric;
  readonly of: (score: number) => number;
}

/** The loss of a metric's name; "" is rmse, compared by squared error. Throws INVALID_FIELD. */
export function requireLoss(name: string, field = 'guard.metric'): Loss {
  const metric = findMetric(name || 'rmse');
  if (!metric) {
    const description = `is ${JSON.stringify(name)}, which is no metric: name rmse, mae, mrr, hit_rate@N or ndcg@N`;
    throw invalidField(field, description);
  }
  return { metric, of: metric.of === 'rank' ? (score) => 1 - score : (score) => score };
}

/** Losses of the events that both models answered. Throws CAPABILITY_MISSING where there are none. */
export function lossesOf(answers: WindowAnswers, { metric, of }: Loss): PairedScores {
  const { user, live, candidate } = scoresOf(answers, metric);
  if (user.length > 0) return { user, live: live.map(of), candidate: candidate.map(of) };
  const [what, remedy] =
    metric.of === 'rank'
      ? ['No rating of the window was ranked', 'set evaluation.rankEvery']
      : ['A model does not predict ratings', 'name a metric of rankings, such as hit_rate@10'];
  throw new AccreteError('CAPABILITY_MISSING', `${what}, so ${metric.name} cannot guard: ${remedy}`, {
    metadata: { metric: metric.name },
  });
}

/** Figures of one metric for both models, each with its interval; none where nothing was answered. */
export function figuresOf(
  answers: WindowAnswers,
  name: string,
  { live, candidate, seed }: Naming,
  meter: Meter,
): { before: Figure; after: Figure } | undefined {
  const { metric } = requireLoss(name);
  const scores = scoresOf(answers, metric);
  if (scores.user.length === 0) return undefined;
  const means = new PairedMeans(scores, seed, meter);
  const common = { metric: metric.name, count: means.count, segment: '' };
  return {
    before: { ...common, model: live, ...means.estimate((mean) => metric.figure(mean)) },
    after: { ...common, model: candidate, ...means.estimate((_, mean) => metric.figure(mean)) },
  };
}

/** How the models are called, and what seeds the resamples. */
export interface Naming {
  readonly live: string;
  readonly candidate: string;
  readonly seed: number;
}

/**
 * The difference that was decided by, as one of figures: of squared errors it is called mse; that of a ranking is above 0
 * where the candidate is better.
 */
export function differenceOf(decision: Decision, { metric }: Loss, { live, candidate }: Naming): Difference {
  const { difference, interval, count } = decision;
  const ranks = metric.of === 'rank';
  const turned = interval && { lower: 0 - interval.upper, upper: 0 - interval.lower };
  return {
    model: candidate,
    baseline: live,
    metric: metric.name === 'rmse' ? 'mse' : metric.name,
    value: ranks ? 0 - difference : difference,
    interval: ranks ? turned : interval,
    count,
    segment: '',
  };
}

/** What a metric says of each event that both models answered. */
function scoresOf({ user, live, candidate }: WindowAnswers, metric: Metric) {
  const answered = Array.from(user.keys()).filter((n) =>
    metric.of === 'rank'
      ? live.rank[n] !== NOT_RANKED
      : !Number.isNaN(live.error[n]) && !Number.isNaN(candidate.error[n]),
  );
  const scores = ({ error, rank }: ModelAnswers) => answered.map((n) => metric.score(error[n], rank[n]));
  return { user: answered.map((n) => user[n]), live: scores(live), candidate: scores(candidate) };
}
