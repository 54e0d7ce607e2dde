import { RANK_MISS } from '../../models/prequential.ts';
import { findMetric } from './metrics.ts';
import { mean } from './prediction-metrics.ts';
import type { Make } from './statistic.ts';

/**
 * Metrics of the place of each held-out item, from 1, among n items that the user has not rated. One item of them is
 * relevant, and an item that the model does not know is a miss: it counts 0.
 *
 * - `hit_rate@k`: the share of places up to k (Deshpande & Karypis 2004).
 * - `ndcg@k`: mean of 1/log2(1 + place) of places up to k (Järvelin & Kekäläinen 2002).
 * - `mrr`: mean of 1/place (Voorhees 1999).
 * - `auc`: mean of (n - place)/(n - 1), the probability that the item stands above another one (Rendle et al. 2009); the only
 *   item counts 1/2.
 */
export const RANKING_METRICS: Readonly<Record<string, Make>> = {
  mrr: ofRanks('mrr'),
  auc: ({ answers: { rank, candidates } }) =>
    mean((n) => {
      if (rank[n] === RANK_MISS) return 0;
      return candidates[n] === 1 ? 0.5 : (candidates[n] - rank[n]) / (candidates[n] - 1);
    }),
};

export const RANKING_METRICS_AT: Readonly<Record<string, Make>> = {
  hit_rate: (evidence, cutoff) => ofRanks(`hit_rate@${cutoff}`)(evidence, cutoff),
  ndcg: (evidence, cutoff) => ofRanks(`ndcg@${cutoff}`)(evidence, cutoff),
};

function ofRanks(name: string): Make {
  const metric = findMetric(name);
  return ({ answers: { rank } }) => (metric ? mean((n) => metric.score(Number.NaN, rank[n])) : 'it has no such metric');
}
