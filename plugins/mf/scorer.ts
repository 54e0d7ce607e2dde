import {
  type Address,
  eachRun,
  NO_ROW,
  type ReadTables,
  type ScoreContext,
  type Scorer,
  type WritableAddress,
} from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { explainer } from './explainer.ts';
import type { MfKernels } from './kernels.ts';
import { NOWHERE, predictor } from './predictor.ts';
import type { MfTables } from './tables.ts';

type Context = ScoreContext<MfConfig, MfTables, MfKernels>;
/** The items that are asked for, and where their scores go: `spans`, `spanCount` and `out` of the contract. */
type Asked = [spans: Uint32Array, spanCount: number, out: WritableAddress];

/**
 * How many ratings it takes until half is believed of where an item stands: the vector of one that few rated is mostly the
 * draw that it began with.
 */
const PRIOR = 20;
/** What an item of a session adds to the vector of who looked at it, and what is left of that with every later one. */
const SHARE = 0.75;
const DECAY = 0.85;
/** Of a session's items the latest count; what the others would add is below SHARE/1000. */
const SESSION_MAX = 50;

/** Ranks by <p_u, q_i> + rank_i; for strangers, by rank_i alone. What needs vectors is offered where there are some. */
export function scorer(context: Context): Scorer {
  const { config, tables, memory, kernels } = context;
  const userVector = config.k === 0 ? () => NOWHERE : tables.users.column('vector');
  const rank = ranker(context);
  return {
    predict: predictor(config, tables, memory, kernels),
    score({ user }, ...asked) {
      if (user === NO_ROW) rank(NOWHERE, 0, asked);
      else rank(userVector(user), config.k, asked);
    },
    explain: explainer(context),
    ...(config.k > 0 && vectorScorer(context, rank)),
  };
}

type Rank = (vector: Address, k: number, asked: Asked) => void;

/** Scores items for whoever has a vector. */
function ranker({ config, tables: { items }, kernels }: Context): Rank {
  const itemVector = config.k === 0 ? () => NOWHERE : items.column('vector');
  const rankOf = items.column('rank');
  return (vector, k, asked) =>
    eachStretch(items, asked, (row, count, out) =>
      kernels.scores(vector, itemVector(row), rankOf(row), items.stride, k, count, out),
    );
}

/** What vectors of items are good for by themselves. */
function vectorScorer(context: Context, rank: Rank): Required<Pick<Scorer, 'similar' | 'session' | 'vectors'>> {
  const { config, tables, kernels, scores, scratch } = context;
  const { k } = config;
  const { items } = tables;
  const vectorOf = items.column('vector');
  const ratingsOf = items.column('ratings');
  const folded = scratch(4 * k);
  return {
    vectors: { width: k, of: vectorOf },

    similar(item, ...asked) {
      const [vector, width] = item === NO_ROW ? [NOWHERE, 0] : [vectorOf(item), k];
      eachStretch(items, asked, (row, count, out) =>
        kernels.likeness(vector, vectorOf(row), ratingsOf(row), items.stride, width, count, PRIOR, out),
      );
    },

    session({ items: seen }, ...asked) {
      scores.fill(0, folded >>> 2, (folded >>> 2) + k);
      let share = SHARE;
      for (let n = seen.length - 1; n >= Math.max(0, seen.length - SESSION_MAX); n--, share *= DECAY) {
        // A step by the whole of `share` along the item's vector.
        kernels.sgd(folded, vectorOf(seen[n]), k, share, 1, 0);
      }
      rank(folded, k, asked);
    },
  };
}

/** Visits the rows that are asked for in stretches that are contiguous, each with where its scores go. */
function eachStretch(
  items: ReadTables<MfTables>['items'],
  [spans, spanCount, out]: Asked,
  visit: (row: number, count: number, out: WritableAddress) => void,
): void {
  let at = out;
  const visitRun = (row: number, count: number) => {
    visit(row, count, at);
    at = (at + 4 * count) as WritableAddress;
  };
  for (let span = 0; span < spanCount; span++) eachRun(items, spans[2 * span], spans[2 * span + 1], visitRun);
}
