import { ln, NO_ROW } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { Draws } from '../draws.ts';
import { sigmoid } from './sigmoid.ts';
import type { Steps } from './steps.ts';

/** Draws what the first item of `steps` is told apart from, and sets the errors of all scores for an event of that weight. */
export type Objective = (steps: Steps, draws: Draws, weight: number) => void;

/** How far a score has to be above that of another item. */
const MARGIN = 1;

/** For an item, against those drawn: the gradient of the log loss of sigmoid(x). */
const logistic: Objective = (steps, draws, weight) => {
  for (let n = steps.errors.length; n > 1; n--) {
    const item = draws.next();
    if (item === NO_ROW) break;
    const score = steps.add(item);
    steps.errors[steps.count - 1] = -weight * sigmoid(score);
  }
  steps.errors[0] = weight * (1 - sigmoid(steps.scores[0]));
};

/** The mean over the drawn j of -ln sigmoid(x_i - x_j) (Rendle et al. 2009). */
const bpr: Objective = (steps, draws, weight) => {
  for (let n = steps.errors.length; n > 1; n--) {
    const item = draws.next();
    if (item === NO_ROW) break;
    steps.add(item);
  }
  const each = weight / Math.max(1, steps.count - 1);
  let sum = 0;
  for (let n = 1; n < steps.count; n++) {
    const error = each * sigmoid(steps.scores[n] - steps.scores[0]);
    steps.errors[n] = -error;
    sum += error;
  }
  steps.errors[0] = sum;
};

/**
 * Draws until an item scores more than x_i - 1; found at draw t of M items, rank_i is about (M - 1)/t, and the hinge is weighed
 * by ln(1 + rank_i) (Weston, Bengio & Usunier 2011; with sums of 1/n for the logarithm).
 */
const warp =
  (itemCount: () => number): Objective =>
  (steps, draws, weight) => {
    for (let tries = 1; tries < steps.errors.length; tries++) {
      const item = draws.next();
      if (item === NO_ROW) return;
      const score = steps.add(item);
      if (score <= steps.scores[0] - MARGIN) {
        steps.count--;
        continue;
      }
      const error = weight * ln(1 + Math.floor(Math.max(0, itemCount() - 1) / tries));
      steps.errors[0] = error;
      steps.errors[1] = -error;
      return;
    }
  };

export function objectiveOf({ objective }: MfConfig, itemCount: () => number): Objective {
  switch (objective) {
    case 'logistic':
      return logistic;
    case 'warp':
      return warp(itemCount);
    default:
      return bpr;
  }
}
