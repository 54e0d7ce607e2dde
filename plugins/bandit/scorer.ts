import { HOPE, type Query, type ScoreContext, type Scorer } from '../contract/index.ts';
import { type Asked, beliefsOf } from './beliefs.ts';
import type { BanditConfig } from './config.ts';
import type { BanditKernels } from './kernels.ts';
import type { BanditTables } from './tables.ts';

type Context = ScoreContext<BanditConfig, BanditTables, BanditKernels>;

export function scorer(context: Context): Scorer {
  const { policy, alpha } = context.config;
  const beliefs = beliefsOf(context);

  /** Scores what is asked at a quantile, so far from the mean. */
  function each(z: number, alpha: number, query: Query, asked: Asked): void {
    beliefs.of(query);
    beliefs.score(z, alpha, asked);
  }

  // Nothing is drawn: its lists are certain, which goes out with them.
  if (policy === 'linucb')
    return {
      score: (query, ...asked) => each(1, alpha, query, asked),
      explores: { by: 'epsilon', epsilon: 0 },
    };
  return {
    score: (query, ...asked) => each(0, 0, query, asked),
    explores: {
      by: 'posterior',
      hope: (query, ...asked) => each(HOPE, alpha, query, asked),
      quantiles(query, items, z, out) {
        beliefs.of(query);
        beliefs.quantiles(items, z, alpha, out);
      },
    },
  };
}
