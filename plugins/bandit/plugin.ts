import { definePlugin, meaningsOf, SUM } from '../contract/index.ts';
import { configSchema, isLinear } from './config.ts';
import { kernels } from './kernels.ts';
import { learner } from './learner.ts';
import { scorer } from './scorer.ts';
import { tables } from './tables.ts';

/**
 * Ranks by what exposures of an item earn, and explores what it does not know well. A user's exposure to an item (an event of a
 * kind that is one, reported by clients or, with `answers` of the kind, by the server) earns the weights of what the user does
 * with the item in the hours after it (`windowHours`).
 *
 * What an exposure of item i earns, m_i, is believed to be
 *
 *     Gamma(a_i, b_i)      a_i = c mu + earned_i      b_i = c + shown_i      mu = (.05 c + earned)/(c + shown)      c: prior
 *
 * as of a Poisson variable with a gamma prior around the mean of all items.
 * `thompson`: draws m_i (Thompson 1933; Chapelle & Li 2011).
 *
 * The linear policies add what a user likes beyond that, by the vectors v of another model (Zhao, Zhang & Wang 2013, "Interactive
 * collaborative filtering"), of length 1. A ridge regression of every user, on each exposure less its m_i at that time:
 *
 *     A = ridge I + sum w v v'      b = sum r v - sum w m_i v      score = m_i + (A^-1 b)'v      w: weight of the exposure
 *     variance = a_i/b_i² + mu v' A^-1 v                         r: what was done, when it is done
 *
 * A^-1 follows each exposure (Sherman & Morrison 1950).
 * `linear-thompson`: draws the score of each item (Agrawal & Goyal 2013; each by itself, as Zhang et al. 2021 do).
 * `linucb`: score + alpha sqrt(variance) (Li, Chu, Langford & Schapire 2010).
 *
 * An edit takes back what the rating before it earned. A retraction takes back counts and earnings, as far as the exposure is
 * still known; what a user's regression learned of it stays until the user has neither ratings nor events.
 */
export default definePlugin({
  name: 'bandit',
  summary: 'Ranks by what exposures earn, and explores: Thompson sampling by item or by vectors, or LinUCB.',
  stateVersion: 1,
  config: configSchema,
  tables,
  kernels,
  inputs: (config) => (isLinear(config) ? [{ model: config.model, vectors: true }] : []),
  retracts: 'approximate',
  learnsEvents: true,
  ranksStrangers: true,
  scorer,
  learner,
  fusion: (config) =>
    isLinear(config)
      ? 'what it learned of a user means nothing in the directions of another model'
      : {
          columns: {
            ...meaningsOf('items', { shown: SUM, earned: SUM }),
            ...meaningsOf('model', { shown: SUM, earned: SUM, unclaimed: SUM }),
          },
        },
});
