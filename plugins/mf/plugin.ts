import { definePlugin } from '../contract/index.ts';
import { configSchema } from './config.ts';
import { kernels } from './kernels.ts';
import { FactorLearner } from './learner.ts';
import { refit } from './refit.ts';
import { scorer } from './scorer.ts';
import { tables } from './tables.ts';

/**
 * Incremental matrix factorization with biases, by stochastic gradient descent (Funk 2006; Koren, Bell & Volinsky 2009;
 * incremental: Takács, Pilászy, Németh & Tikk 2009; Vinagre, Jorge & Gama 2014). For a rating r of user u, item i:
 *
 *     r^ = m + b_u + b_i + <p_u, q_i>           e = r - r^          m: mean of all ratings; p, q: k factors
 *     b_u += s e,  s = max(floor, 1/(n + 4))    likewise b_i        n: ratings before
 *     p_u += eta (e q_i - l2 p_u)               q_i += eta (e p_u - l2 q_i), p_u as it was
 *
 * and other optimisers in place of the last line (`kernels.as.ts`). `weight` multiplies a step. What both rows take away
 * of an error is to first order s_u + s_i + eta (|p|² + |q|² + 2 l2); a step that would take away more than all of it is
 * scaled down to that. Vectors stay within a ball and biases within an interval (projected descent) that ordinary ratings
 * never reach. So no legal setting diverges.
 *
 * Local replay: with every rating, past ratings of its user and of its item are learned again, in turn, each moving the
 * row of that user or item alone. So an event changes no row that it does not name.
 *
 * Ranking is not prediction: score_ui = <p_u, q_i> + w ln(1 + n_i). The expected rating ranks below popularity, since what
 * gets rated is not what would be rated highest.
 *
 * Items are alike by their directions, less surely so when few rated them: similar_ij = <q_i, q_j>/(|q_i| |q_j|) n_j/(n_j +
 * 20). A session is ranked as a user is, with p = .5 sum_n .85^n q of its items, the latest first: the fewer there are, the
 * more popularity counts. Where a score comes from is split by ridge regression (`explainer.ts`).
 *
 * A refit learns all live ratings again, several times over and with a stronger pull to zero (`refit.ts`).
 *
 * A retraction resets both rows to their first values and learns their remaining ratings again, and ceil(replay.count/2)
 * times more by the steps of a replay, each row alone, reading the other sides as they are now. Nothing of the rating is left
 * in its two rows; what other rows learned through them while it was there stays.
 */
export default definePlugin({
  name: 'mf',
  summary:
    'Biased matrix factorization, learned online with local replay: predicts ratings, and ranks by taste and popularity.',
  stateVersion: 2,
  config: configSchema,
  tables,
  kernels,
  retracts: 'approximate',
  scorer,
  learner: (context) => new FactorLearner(context),
  refit,
});
