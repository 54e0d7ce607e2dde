import { definePlugin } from '../contract/index.ts';
import { configSchema } from './config.ts';
import { kernels } from './kernels.ts';
import { NetLearner } from './learner.ts';
import { refit } from './refit.ts';
import { scorer } from './scorer.ts';
import { tables } from './tables.ts';
import { tuning } from './tuning.ts';

/**
 * Incremental neural collaborative filtering: NeuMF (He, Liao, Zhang, Nie, Hu & Chua 2017) as a correction of biases, with a
 * tower that is trained by refits and frozen between them, but for adapters of low rank (LoRA: Hu et al. 2022). For user u and
 * item i:
 *
 *     r^ = m + b_u + b_i + g h_ui               g: how far the gate is open, 0 .. 1
 *     h_ui = sum_f (1 + v_f) p_f q_f + <n, x_L>                    p, q, v: gmf.k products, each with a weight
 *     x_0 = [s_u, t_i]    x_l = max(0, (W_l + A_l B_l) x_l-1 + c_l)      s, t: tower.k each; A, B: of rank tower.rank
 *
 * x_1 is of tower.k numbers, each further layer of half as many. The biases learn as if there were no network: those of `mf`,
 * with steps that fall to a floor. The network learns what they miss, e = r - m - b_u - b_i - h, by gradient descent on e²/2:
 *
 *     [p, s]_u += eta (d e G - l2 [p, s]_u),  d = 1/(1 + c eta |G|²),  G = dh/d[p, s]_u           [q, t]_i likewise
 *     v, n, A, B += sharedEta (e dh/d. - sharedL2 .)                       W, c: only in a refit (`refit.ts`)
 *
 * What a step takes away of the error is to first order the sum of rate times |gradient|², plus l2; a step that would take away
 * more than all of it is scaled down to that. Vectors, layers and biases stay within balls (projected descent) that ordinary
 * ratings never reach. So no legal setting diverges.
 *
 * The gate is least squares without a constant of what the biases missed on what the network said, both as they were before
 * the rating was learned, with forgetting; apart for ratings whose user or item, whoever has fewer, has 0, 1-2, 3-6, 7-14…:
 *
 *     g = H/(S + prior), within 0 .. 1          H = forgetting H + w h missed         S = forgetting S + w h²
 *
 * It begins closed, and a network that is of no use is not heard.
 *
 * Local replay: with every rating, past ratings of its user and of its item are learned again, in turn, each moving the vector
 * of that user or item alone. Where both had ratings at the last refit, what is learned is in part what the network said of
 * the two right after it (distillation: Hinton, Vinyals & Dean 2015; against forgetting: Li & Hoiem 2016).
 *
 * Ranking is as in `mf`, score_ui = sum_f (1 + v_f) p_f q_f + w ln(1 + n_i), without the tower: a dot product an item. Likeness,
 * vectors and sessions are of q alone.
 *
 * A retraction resets the vectors of both rows to their first values and learns their remaining ratings again, as in `mf`; of
 * the biases it takes the difference that the rating makes when all are learned again. What v, n, A, B, the gate and other
 * rows learned of it stays until a refit, which knows nothing but the live ratings.
 */
export default definePlugin({
  name: 'ncf',
  summary:
    'Neural collaborative filtering (NeuMF) over biases, learned online; a refit trains its tower. It predicts no better than ' +
    '`mf`, and costs more.',
  stateVersion: 1,
  config: configSchema,
  tables,
  kernels,
  retracts: 'approximate',
  scorer,
  learner: (context) => new NetLearner(context),
  refit,
  fusion: () => 'its network says nothing without the vectors that it was trained with',
  tuning,
});
