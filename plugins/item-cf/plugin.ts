import { definePlugin } from '../contract/index.ts';
import { configSchema } from './config.ts';
import { kernels } from './kernels.ts';
import { NeighbourLearner } from './learner.ts';
import { refit } from './refit.ts';
import { scorer } from './scorer.ts';
import { tables } from './tables.ts';
import { tuning } from './tuning.ts';

/**
 * Item-based collaborative filtering (Sarwar, Karypis, Konstan & Riedl 2001; on residuals of biases: Koren 2008;
 * incremental: Papagelis, Rousidis, Plexousakis & Theoharopoulos 2005). For a rating r of user u, item i:
 *
 *     e_j = r_j - m - b_u - b_j                 of u's latest `history` ratings r_j, by the biases as they are now
 *     r^ = m + b_u + b_i + sum w_ij e_j / (doubt + sum w_ij)
 *     w_ij = (s/sqrt(v v') c/(c + shrink))^2    where s > 0, else 0
 *     b_u += max(floor, 1/(n + 4)) e            likewise b_i; m: mean of all ratings and of ten of 3.5
 *
 * A pair ij has c += 1, s += e_i e_j, v += e_i^2, v' += e_j^2 with every rating of i by someone who had rated j (of weight
 * w: w times that). Row i holds it: an event writes one row of pairs, its item's, and reads two, i->j and j->i, added. A
 * row has at most `partners`, in sets of eight found by a hash, where those that were met least make way; it is as long as
 * an item's ratings ask for. Biases step as in `mf`: no legal setting diverges.
 *
 * Ranking: what follows what (Markov chains with skips, e.g. Shani, Brafman & Heckerman 2002; He & McAuley 2016), whatever
 * the ratings. Before i is added to u's items h_0, h_1 ..., the latest first:
 *
 *     rows i and h_0 of T fade by `keep`;   T[h_n -> i] += g_n, T[i -> h_n] += back g_n,   g_n = (1 + n)^-exponent
 *     score_ui = d_i sum_n fade^n d_(h_n) T[h_n -> i]          d_j = (c_j + 5)^-popularity, c_j: ratings of j
 *
 * A full row of T lets its least go. `fast` is a second T with other settings, that forgets sooner. A summand of `score` is
 * the share of the rating of h_n. A session is ranked as a user is who rated its items.
 *
 * A refit learns all live ratings again in the order in which they came, from nothing: what edits and retractions left
 * behind is gone. It also computes the ranking `ease` (Steck 2019: `ease.ts`), where that is on, for up to 4,000 items; what
 * was rated or taken back since shows in that with the next refit.
 *
 * Items are alike that the same people rated, and alike: c/sqrt((c_i + 20)(c_j + 20)) (1 + s/sqrt(v v') c/(c + shrink)).
 *
 * A retraction takes its counts out exactly, as long as no row was full: of pairs, the average share of one that is counted
 * there from s, v and v' (all, with the last); of T, what the step has faded to, told by how often the row's item was rated
 * since. Biases of its user and item are derived anew from the ratings that remain. What stays: what others' biases and
 * residuals learned meanwhile, how much rows of T had faded with it, what it drove out of full rows, and `ease`.
 */
export default definePlugin({
  name: 'item-cf',
  summary: 'Items by the company they keep: predicts by ratings of similar items, and ranks by what follows what.',
  stateVersion: 1,
  config: configSchema,
  tables,
  kernels,
  retracts: 'approximate',
  scorer,
  learner: (context) => new NeighbourLearner(context),
  refit,
  fusion: () =>
    'its pairs are sums over residuals of its own biases, in rows of limited length: sums of two are no sums of both',
  tuning,
});
