import { RANK_MISS } from '../../models/prequential.ts';

/**
 * What one rating says of a model, by its error and the place of its item alone: the metrics that a guard can go by. One is
 * the mean of one number a rating, for `rmse` the root of it.
 */
export interface Metric {
  readonly name: string;
  /** Errors are of predicted values, the others of ranks. */
  readonly of: 'prediction' | 'rank';
  /** `error`: rating less prediction, on the deployment's scale; `rank`: from 1, or RANK_MISS. */
  readonly score: (error: number, rank: number) => number;
  /** The figure of a mean. */
  readonly figure: (mean: number) => number;
}

/** The largest k. */
export const CUTOFF_MAX = 100;

const RANKING_DEFAULTS = ['hit_rate@10', 'ndcg@10', 'mrr'];
/** What is reported when nothing is asked for. */
export const DEFAULT_METRICS = { prediction: ['rmse', 'mae'], rank: RANKING_DEFAULTS } as const;

const asItIs = (mean: number) => mean;

/** The metric of a name, or undefined when there is none. */
export function findMetric(name: string): Metric | undefined {
  switch (name) {
    case 'rmse':
      return { name, of: 'prediction', score: (error) => error * error, figure: Math.sqrt };
    case 'mae':
      return { name, of: 'prediction', score: (error) => Math.abs(error), figure: asItIs };
    case 'mrr':
      return { name, of: 'rank', score: (_, rank) => (rank === RANK_MISS ? 0 : 1 / rank), figure: asItIs };
  }
  const [, kind, digits] = /^(hit_rate|ndcg)@([1-9]\d{0,2})$/.exec(name) ?? [];
  const cutoff = Number(digits);
  if (!(cutoff <= CUTOFF_MAX)) return undefined;
  // One relevant item: NDCG = 1/log2(1 + rank) (Järvelin & Kekäläinen 2002).
  const gain = kind === 'ndcg' ? (rank: number) => 1 / Math.log2(1 + rank) : () => 1;
  return { name, of: 'rank', score: (_, rank) => (rank <= cutoff ? gain(rank) : 0), figure: asItIs };
}
