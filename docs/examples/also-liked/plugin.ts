import { definePlugin } from '../../../plugins/contract/index.ts';
import { learner } from './learner.ts';
import { scorer } from './scorer.ts';
import { configSchema, tables } from './tables.ts';

/**
 * Ranks items by how many of those who liked them also liked what the user rated last.
 *
 * Every user u has K random signs c_u. An item is the sum of the signs of its users, each times the liking l of the
 * rating; two such sums are as near as the likings that they have in common (random indexing: Sandin, Emruli & Sahlgren
 * 2017):
 *
 *     v_i = sum over users of l_ui c_u        n_i = sum of l_ui²        <v_i, v_j>/K is about sum of l_ui l_uj
 *     d_i = v_i/sqrt(K (n_i + doubt))         score_ui = sum over the user's latest ratings j of l_uj <d_j, d_i>
 *
 * A retraction is exact: sums of multiples of 1/16 do not round.
 */
export default definePlugin({
  name: 'also-liked',
  summary: 'Ranks items by how many of those who liked them also liked what the user rated last.',
  stateVersion: 1,
  config: configSchema,
  tables,
  retracts: 'exact',
  scorer,
  learner,
});
