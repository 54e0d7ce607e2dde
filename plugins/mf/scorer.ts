import { eachRun, NO_ROW, type ScoreContext, type Scorer, type WritableAddress } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { expectation, noVector } from './expected.ts';
import type { MfKernels } from './kernels.ts';
import type { MfTables } from './tables.ts';

/** Ranks by <p_u, q_i> + rank_i; of strangers, by rank_i alone. */
export function scorer(context: ScoreContext<MfConfig, MfTables, MfKernels>): Scorer {
  const { config, tables, kernels } = context;
  const { users, items } = tables;
  const { factors } = config;
  const userVector = factors > 0 ? users.column('vector') : noVector;
  const itemVector = factors > 0 ? items.column('vector') : noVector;
  const rankOf = items.column('rank');

  return {
    score({ user }, spans, spanCount, out) {
      const k = user === NO_ROW ? 0 : factors;
      const p = userVector(user === NO_ROW ? 0 : user);
      let at: number = out;
      const scoreRun = (row: number, count: number) => {
        kernels.scores(p, itemVector(row), rankOf(row), items.stride, k, count, at as WritableAddress);
        at += 4 * count;
      };
      for (let span = 0; span < spanCount; span++) eachRun(items, spans[2 * span], spans[2 * span + 1], scoreRun);
    },
    predict: expectation(context),
  };
}
