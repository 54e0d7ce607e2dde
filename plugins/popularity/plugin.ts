import { definePlugin, meaningsOf } from '../contract/index.ts';
import { configSchema } from './config.ts';
import { learner } from './learner.ts';
import { scorer } from './scorer.ts';
import { tables } from './tables.ts';
import { tuning } from './tuning.ts';

/**
 * Decayed counts of ratings, whatever their value, and of events: an item's score at time T is
 *
 *     log2 sum over its live ratings and events of w 2^((t - T)/H)        w: weight, t: event time, H: half-life
 *
 * Forward decay (Cormode, Shkapenyuk, Srivastava & Xu 2009): what is stored, C = sum w 2^(t/H), never has to be aged; T
 * is taken off when scoring. C outgrows a double after 1,024 half-lives, so it is kept as mantissa 2^exponent.
 *
 * The score uses exponent + mantissa - 1 for log2 C, which rises with C as log2 does, and meets it at powers of two.
 *
 * An event weighs its own weight times that of its kind. One that carries a value counts once: as the rating that it set. An
 * exposure counts nothing.
 *
 * An edit replaces what the rating counted. A retraction is exact as far as sums of doubles are: what is left is within
 * 2^-30 of what it would be without the rating, and 0 when it was the item's only one.
 *
 * Fused are sums: those of shards that learned different ratings add up to that of all. What other shards brought is lost
 * with a retraction that takes nearly all of an item's sum away, since what is left is then summed up from the ratings here.
 */
export default definePlugin({
  name: 'popularity',
  summary: 'Counts of ratings and events that fade with time: for strangers, as a fallback and as a baseline.',
  stateVersion: 1,
  config: configSchema,
  tables: () => tables,
  retracts: 'exact',
  learnsEvents: true,
  ranksStrangers: true,
  scorer,
  learner,
  fusion: ({ halfLifeDays }) => ({
    columns: meaningsOf('items', { mantissa: { as: 'sum', exponent: 'items.exponent' }, exponent: { as: 'exponent' } }),
    alike: { halfLifeDays },
  }),
  tuning,
});
