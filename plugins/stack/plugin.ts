import { definePlugin } from '../contract/index.ts';
import { configSchema } from './config.ts';
import { kernels } from './kernels.ts';
import { learner } from './learner.ts';
import { scorer } from './scorer.ts';
import { tables } from './tables.ts';
import { tuning } from './tuning.ts';

/**
 * An ensemble of other models that is learned online, by stacking (Wolpert 1992): before an input learns a rating, the stack
 * learns from what it expected.
 *
 * Rating: recursive least squares with forgetting (Plackett 1950) on n = 3 m + 16 numbers x of m inputs:
 *
 *     r^ = 3.5 + W x       g = P x       S = f + w x'g       W += g w e/S       P = (P - w g g'/S)/f       W: n, P: n x n
 *
 * x holds p = what the base expects - 3.5, d_k = what the k-th input expects - what the base does, both also by how few and
 * how many ratings user and item have, and the user's last misses by how long they are ago (`evidence.ts`). w: weight of the
 * rating. Forgetting is paused (f = 1) while trace P > 100: along directions that the data do not show, as between an input
 * and its duplicate, P would grow by 1/f an event. P stays symmetric to the bit.
 * Median: r^ + v (1, s, s² - 1/2, s³), s = r^ - 3.5, by subgradient steps on the absolute error.
 *
 * Ranking: score = sum_h (w_h + v_gh) z_h over rankings of inputs, z_h = (s_h - mean)/sd over a sample of items, g the time
 * since the user's last event. An event draws a few items that the user has not rated; with p = softmax(score) over those and
 * its own, w_h += .3 rate G_h and v_gh += rate G_h, G_h = sum_j ([j is its own] - p_j) z_hj. So useless rankings get small
 * weights, and ones that disturb negative ones.
 *
 * An edit is learned by the inputs alone. A retraction undoes nothing of what is common to all; the row of a user goes with
 * their last rating.
 */
export default definePlugin({
  name: 'stack',
  summary: 'Learns online how much other models are to be believed: predicts and ranks better than each of them.',
  stateVersion: 1,
  config: configSchema,
  tables,
  kernels,
  inputs: ({ rating, ranking }) => [
    ...rating.inputs.map((model) => ({ model, predicts: true })),
    ...ranking.inputs.map(({ model, head }) => (head === '' ? { model } : { model, head })),
  ],
  retracts: 'none',
  scorer,
  learner,
  fusion: () => 'it says how far the models that it has as inputs are to be believed: fuse those',
  tuning,
});
