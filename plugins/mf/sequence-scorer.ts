import {
  type Contribution,
  type Factors,
  NO_ROW,
  type Query,
  type ScoreContext,
  type Scorer,
} from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import { NOWHERE } from './predictor.ts';
import { Standpoint } from './sequence.ts';
import { type Asked, eachStretch, type Rank } from './stretches.ts';
import type { MfTables } from './tables.ts';

/**
 * Ranks by what is rated next: b_i + <s, Q_i>, s where the user stands (`sequence.ts`); without ratings, by rank_i. A
 * session is a user of whom nothing else is known, and whose items were rated just now. s is a sum, of P_u and of w Y for
 * every rating: so is the score, which explains it.
 */
export function sequenceScorer(
  context: ScoreContext<MfConfig, MfTables, MfKernels>,
  rank: Rank,
): Required<Pick<Scorer, 'score' | 'heads' | 'factors' | 'session' | 'explain'>> {
  const { config, tables, memory, kernels, history, scores, scratch } = context;
  const { k, window, decay } = config.sequence;
  const { sequence } = tables;
  const standpoint = new Standpoint(config.sequence, tables, kernels, history, scores, scratch(4 * k));
  const nextOf = sequence.column('next');
  const biasOf = sequence.column('bias');
  const rankOf = tables.items.column('rank');

  const rankNext = (asked: Asked) =>
    eachStretch(sequence, asked, (row, count, out) =>
      kernels.scores(standpoint.at, nextOf(row), biasOf(row), sequence.stride, k, count, out),
    );

  /** The parts of the score of someone with ratings. */
  function partsOf({ user, time }: Query, item: number): Contribution[] {
    const length = standpoint.of(user, history.userCount(user), time);
    const next = nextOf(item);
    const parts: Contribution[] = [{ term: 'taste', value: kernels.dot(standpoint.tasteOf(user), next, k) }];
    if (config.sequence.scope !== 'local') parts.push({ term: 'item_bias', value: memory.f32[biasOf(item) >>> 2] });
    for (let n = 0; n < length; n++) {
      const rated = standpoint.items[n];
      parts.push({ item: rated, value: standpoint.weights[n] * kernels.dot(standpoint.traceOf(rated), next, k) });
    }
    return parts;
  }

  const isStranger = (user: number) => user === NO_ROW || history.userCount(user) === 0;

  const score: Scorer['score'] = ({ user, time }, ...asked) => {
    if (isStranger(user)) {
      rank(NOWHERE, 0, asked);
      return;
    }
    standpoint.of(user, history.userCount(user), time);
    rankNext(asked);
  };

  const ofUser: Factors['ofUser'] = ({ user, time }) => {
    if (isStranger(user)) return undefined;
    standpoint.of(user, history.userCount(user), time);
    return standpoint.at;
  };

  return {
    score,
    /** By its name, too, for models that learn from this one. */
    heads: { sequence: score },
    factors: { width: k, ofUser, ofItem: nextOf, biasOf },

    session({ items }, ...asked) {
      standpoint.clear();
      let weight = 1;
      for (let n = items.length - 1; n >= Math.max(0, items.length - window); n--, weight *= decay)
        standpoint.add(standpoint.traceOf(items[n]), weight);
      rankNext(asked);
    },

    explain(query, item) {
      const parts: readonly Contribution[] = isStranger(query.user)
        ? [{ term: 'popularity', value: memory.f32[rankOf(item) >>> 2] }]
        : partsOf(query, item);
      return parts.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
    },
  };
}
