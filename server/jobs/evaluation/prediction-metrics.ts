import { concordance } from './concordance.ts';
import { findMetric } from './metrics.ts';
import type { Evidence, Make, Means, Statistic } from './statistic.ts';

/**
 * Metrics of predicted ratings. r is a rating and p what was predicted, both on the deployment's scale; y and q are the
 * same on 0..1: (r - min)/(max - min). Where ratings are of two values, such as 0 and 1, q is the probability of the
 * upper one, since that is its expectation: a model that predicts a probability needs no other sign for it.
 *
 * - `rmse`, `mae`: (mean of (r - p)^2)^(1/2), mean of |r - p| (Herlocker et al. 2004).
 * - `accuracy`: the share with |r - p| at most half a step, so that p, rounded to a step, is r. The step is the smallest
 *   difference between two ratings of the window.
 * - `log_loss`: mean of -y ln q - (1 - y) ln(1 - q) (Good 1952), q kept within 2^-52 of 0 and 1; of ratings between the
 *   ends that of a fraction (Papke & Wooldridge 1996), which is least where q is the mean of y.
 * - `calibration_error`: over ten bins of q of equal width, the sum of |sum of y - q|, by the number of ratings (Naeini et
 *   al. 2015).
 * - `rating_auc`: of two ratings that differ, the probability that p is larger for the larger one, ties half (Harrell et
 *   al. 1982); of two values the area under the ROC curve (Hanley & McNeil 1982).
 */

/** Bins of `calibration_error`. */
const BINS = 10;
const SILENT = 'it does not predict ratings';
const ALIKE = 'all ratings are alike';

export const PREDICTION_METRICS: Readonly<Record<string, Make>> = {
  rmse: (evidence) => ofErrors('rmse', evidence),
  mae: (evidence) => ofErrors('mae', evidence),
  accuracy({ observations: { value, step }, answers: { predicted } }) {
    if (!predicted) return SILENT;
    if (step === 0) return ALIKE;
    return mean((n) => (Math.abs(value[n] - predicted[n]) <= step / 2 ? 1 : 0));
  },
  log_loss(evidence) {
    const unit = onUnit(evidence);
    if (!unit) return SILENT;
    return mean((n) => {
      const [y, q] = [unit.rating(n), Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, unit.predicted(n)))];
      return -y * Math.log(q) - (1 - y) * Math.log(1 - q);
    });
  },
  calibration_error(evidence) {
    const unit = onUnit(evidence);
    if (!unit) return SILENT;
    const binOf = (q: number) => Math.min(BINS - 1, Math.floor(BINS * q));
    const parts = Array.from({ length: BINS }, (_, bin) => (n: number) => {
      const q = unit.predicted(n);
      return binOf(q) === bin ? unit.rating(n) - q : 0;
    });
    const figure: Means['figure'] = (means) => means.reduce((sum, one) => sum + Math.abs(one), 0);
    return { per: 'rating', parts, figure, isBiased: true };
  },
  rating_auc({ observations: { value, step }, starts, answers: { predicted } }): Statistic | string {
    if (!predicted) return SILENT;
    if (step === 0) return ALIKE;
    return { per: 'rating', of: concordance(value, predicted, starts), none: 'no two ratings differ' };
  },
};

function ofErrors(name: string, { observations: { value }, answers: { predicted, rank } }: Evidence): Means | string {
  const metric = findMetric(name);
  if (!predicted || !metric) return SILENT;
  return mean((n) => metric.score(value[n] - predicted[n], rank[n]), metric.figure);
}

/** A figure of the mean of one number a rating: unless told otherwise the mean itself. */
export function mean(part: (n: number) => number, figure = (of: number) => of): Means {
  return { per: 'rating', parts: [part], figure: ([only]) => figure(only) };
}

/** Ratings and predictions on 0..1. */
function onUnit({ observations: { value }, scale: { min, max }, answers: { predicted } }: Evidence) {
  if (!predicted) return undefined;
  const scaled = (rating: number) => (rating - min) / (max - min);
  return { rating: (n: number) => scaled(value[n]), predicted: (n: number) => scaled(predicted[n]) };
}
