import { definePlugin } from '../contract/index.ts';
import { configSchema } from './config.ts';
import { kernels } from './kernels.ts';
import { partsOf } from './parts.ts';
import { tuning } from './tuning.ts';

/**
 * Incremental matrix factorization over a Bayesian regression of every user, by stochastic gradient descent (Funk 2006;
 * Koren, Bell & Volinsky 2009; incremental: Takács, Pilászy, Németh & Tikk 2009; Vinagre, Jorge & Gama 2014). For a rating r
 * of user u, item i:
 *
 *     r^ = base + <p_u, q_i>                    e = r - r^          p, q: k factors
 *     p_u += eta (e' q_i - l2 p_u),  e' = e/(1 + c eta |q_i|²)      likewise q_i, of p_u as it was
 *
 * and other optimisers in place of the last line (`kernels.as.ts`). Normalised steps (c; Nagumo & Noda 1967) allow a rate at
 * which plain ones collapse. The base is one of
 *
 *     bayes:   m + <G, z> + <x_u, a> + y_i      of features a of item, session and time: a Kalman filter (Kalman 1960),
 *                                               `regression.ts`, `regression-learner.ts`; x: 6 numbers, G: 3
 *     biases:  m + b_u + b_i                    b += s e, s = max(floor, 1/(n + 4)) after n ratings, `biases.ts`
 *
 * where m is the mean of all ratings. `weight` multiplies a step, and divides a rating's variance. What both rows take away
 * of an error is to first order what the base takes, and eta (|p|²/(1 + c eta |p|²) + |q|²/(1 + c eta |q|²) + 2 l2); a step
 * that would take away more than all of it is scaled down to that. Vectors stay within a ball, and biases and slopes within
 * an interval (projected descent), that ordinary ratings never reach. So no legal setting diverges.
 *
 * Local replay: with every rating, past ratings of its user and of its item are learned again, in turn, each moving the
 * row of that user or item alone; a Bayesian base is only read then. So an event changes no row that it does not name.
 *
 * Ranking is not prediction: the expected rating ranks below popularity, since what gets rated is not what would be rated
 * highest. score_ui = b_i + <s, Q_i>, by what is rated next to the user's latest ratings (`sequence.ts`,
 * `sequence-learner.ts`); or with `ranking` `taste` <p_u, q_i> + w ln(1 + n_i), of which the last part alone is for strangers.
 * With sequences an event also changes Y of what its user rated last, and Q and b of the few items that its own was nearly
 * mistaken for.
 *
 * Items are alike by their directions, less surely so when few rated them: similar_ij = <q_i, q_j>/(|q_i| |q_j|) n_j/(n_j +
 * 20). A session is ranked for as a user is, of whom nothing else is known; by taste with p = .5 sum_n .85^n q of its items,
 * the latest first. Scores by sequence are sums over ratings, which explain them; those by taste are split by ridge
 * regression (`explainer.ts`).
 *
 * Errors are watched for drift (`drift.ts` of the contract). Once it is found, each row is made as unsure as it was before its
 * first rating, with its next rating (`drift.ts`), learns again what came since the drift began, and no more of what came
 * before. Beside a Bayesian base items then have what they moved by, and users how far they follow that (`moves.ts`).
 *
 * With another `objective` than `rating`, none of this is so: what users do is learned, whatever the ratings' values, and no
 * ratings are predicted (`feedback/learner.ts`, `ials/learner.ts`).
 *
 * A refit learns all live ratings again, several times over and with a stronger pull to zero (`refit.ts`). `fusion.ts` says
 * what is fused.
 *
 * A retraction resets both rows to their first values and learns their remaining ratings again, and ceil(replay.count/2)
 * times more by the steps of a replay with a stronger pull to zero, each row alone, reading the other sides as they are now.
 * Nothing of the rating is left in its two rows; what other rows learned through them while it was there stays, and so do
 * what G and the running means of the features took from it. Of the sequence, the user's P begins anew; what Q_i, the Y of
 * the user's earlier items, and Q and b of its rivals learned from the rating stays, until a refit or until nobody rates
 * the item.
 */
export default definePlugin({
  name: 'mf',
  summary:
    'Matrix factorization over Bayesian regressions, learned online: predicts ratings, and ranks by what is rated next; or, ' +
    'by another objective, learns from clicks.',
  stateVersion: 4,
  config: configSchema,
  tables: (config) => partsOf(config).tables(config),
  kernels,
  retracts: 'approximate',
  learnsEvents: ({ objective }) => objective !== 'rating',
  learnsKinds: ({ objective, feedback: { kind } }) => (objective === 'rating' || kind === undefined ? [] : [kind]),
  scorer: (context) => partsOf(context.config).scorer(context),
  learner: (context) => partsOf(context.config).learner(context),
  refit: (context) => partsOf(context.config).refit(context),
  fusion: (config) => partsOf(config).fusion(config),
  tuning,
});
