import { definePlugin } from '../contract/index.ts';
import { learner } from './learner.ts';
import { scorer } from './scorer.ts';
import { configSchema, tables } from './tables.ts';
import { tuning } from './tuning.ts';

/**
 * Collaborative filtering by users: what those who agree with a user say of an item is expected of the user, too
 * (Herlocker, Konstan, Borchers & Riedl 1999), learned rating by rating (Papagelis, Rousidis, Plexousakis &
 * Theoharopoulos 2005). For a rating r of user u, item i, of weight w:
 *
 *     r^ = m + b_u + b_i + (sum s_uv w_vi e_vi)/(prior + sum |s_uv w_vi|)        over the latest raters v of i
 *     e_ui = r_ui - m - b_u - b_i        s_uv = C_uv/(n_uv + doubt), within [-1, 1]        m: mean of all ratings
 *
 * Learning meets the latest raters v of the item, at most `raters`:
 *
 *     C_uv += w_ui e_ui w_vi e_vi        n_uv += 1        then b += s w e with s = max(floor, 1/(n + 5)), user and item
 *
 * n_uv, C_uv: how many items u and v have in common that v rated first, and the sum over these. They stand in u's row of
 * `neighbours`, N places of 12 bytes, made with u's second rating; those of v in the place that a hash gives v. Where
 * another neighbour stands, that one loses one of its items (Misra & Gries 1982) and the newcomer waits: so whoever has
 * much in common stays. A user with one rating takes 16 bytes, any other 12 N more.
 *
 * Ranking: the users who rated one of u's latest items lately vote for what they rated next to it,
 *
 *     score_ui = sum over u's items j, their raters v:  .9^a (1 + s_uv) .9^(d - 1) (1 after j, 1/2 before it)
 *
 * a: how many of u's ratings came after that of j, d <= 20: how many of v's ratings the step from j to i takes. A session
 * is ranked alike, with s = 0.
 *
 * A retraction takes w_ui e_ui w_vi e_vi out of what u keeps of the raters before and what those after keep of u, with
 * residuals as they are now, and learns both biases again from what is left. A pair without common items is forgotten: of
 * someone who takes back all ratings nothing is left but what biases of others learned meanwhile, and what other
 * neighbours lost to them.
 */
export default definePlugin({
  name: 'user-cf',
  summary: 'Neighbours by user: expects what those who agree with the user say, and ranks what they rated next.',
  stateVersion: 1,
  config: configSchema,
  tables,
  retracts: 'approximate',
  scorer,
  learner,
  fusion: () =>
    'its neighbours are sums over residuals of its own biases, in rows of limited length: sums of two are no sums of both',
  tuning,
});
