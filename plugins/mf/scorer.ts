import { DriftReader, NO_ROW, type ScoreContext, type Scorer } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { actionOf } from './drift.ts';
import { explainer } from './explainer.ts';
import type { MfKernels } from './kernels.ts';
import { NOWHERE, predictor } from './predictor.ts';
import { sequenceScorer } from './sequence-scorer.ts';
import { eachStretch, type Rank } from './stretches.ts';
import type { MfTables } from './tables.ts';

type Context = ScoreContext<MfConfig, MfTables, MfKernels>;

/** What an item of a session adds to the vector of who looked at it, and what is left of that with every later one. */
const SHARE = 0.5;
const DECAY = 0.85;
/** Of a session's items the latest count; what the others would add is below SHARE/1000. */
const SESSION_MAX = 50;

/** A vector that is shorter has no direction. */
const LENGTH_MIN = 1e-6;

/** What needs vectors is offered where there are some. Strangers are ranked for by rank_i alone. */
export function scorer(context: Context): Scorer {
  const { config, tables, memory, kernels } = context;
  const rank = ranker(context);
  const expect = predictor(config, tables, memory, kernels);
  return {
    predict: ({ user, time }, item) => expect(user, item, time),
    ...(config.drift.enabled && driftsIn(new DriftReader(tables.drift, memory, actionOf(config)))),
    ...(config.k > 0 && vectorScorer(context, rank)),
    ...(config.ranking === 'taste' ? tasteScorer(context, rank) : sequenceScorer(context, rank)),
  };
}

const driftsIn = (reader: DriftReader): Required<Pick<Scorer, 'drifts'>> => ({ drifts: () => reader.findings });

/** Ranks by <p_u, q_i> + rank_i. */
function tasteScorer(context: Context, rank: Rank): Pick<Scorer, 'score' | 'factors' | 'explain'> {
  const { k } = context.config;
  const { users, items } = context.tables;
  const userVector = k === 0 ? () => NOWHERE : users.column('vector');
  return {
    ...(k > 0 && {
      factors: {
        width: k,
        ofUser: ({ user }) => (user === NO_ROW ? undefined : userVector(user)),
        ofItem: items.column('vector'),
        biasOf: items.column('rank'),
      },
    }),
    score({ user }, ...asked) {
      if (user === NO_ROW) rank(NOWHERE, 0, asked);
      else rank(userVector(user), k, asked);
    },
    explain: explainer(context),
  };
}

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
export function vectorScorer(context: Context, rank: Rank): Required<Pick<Scorer, 'similar' | 'session' | 'vectors'>> {
  const { config, tables, kernels, scores, scratch } = context;
  const { k } = config;
  const { items } = tables;
  const vectorOf = items.column('vector');
  const likenessOf = items.column('likeness');
  const folded = scratch(4 * k);
  const clear = () => scores.fill(0, folded >>> 2, (folded >>> 2) + k);
  /** folded += part q_i: a step of that length along the item's vector. */
  const add = (item: number, part: number) => kernels.sgd(folded, vectorOf(item), k, part, 1, 0);
  const lengthOf = (item: number) => Math.sqrt(kernels.dot(vectorOf(item), vectorOf(item), k));
  return {
    vectors: { width: k, of: vectorOf },

    similar(item, ...asked) {
      clear();
      if (item !== NO_ROW) add(item, 1 / Math.max(LENGTH_MIN, lengthOf(item)));
      eachStretch(items, asked, (row, count, out) =>
        kernels.scaledScores(folded, vectorOf(row), likenessOf(row), items.stride, k, count, out),
      );
    },

    session({ items: seen }, ...asked) {
      clear();
      let share = SHARE;
      for (let n = seen.length - 1; n >= Math.max(0, seen.length - SESSION_MAX); n--, share *= DECAY)
        add(seen[n], share);
      rank(folded, k, asked);
    },
  };
}
