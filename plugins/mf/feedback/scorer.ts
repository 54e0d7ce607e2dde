import { type Contribution, ln, NO_ROW, type ScoreContext, type Scorer } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfKernels } from '../kernels.ts';
import { NOWHERE } from '../predictor.ts';
import { vectorScorer } from '../scorer.ts';
import { eachStretch, type Rank } from '../stretches.ts';
import type { MfTables } from '../tables.ts';
import { sigmoid } from './sigmoid.ts';

type Context = ScoreContext<MfConfig, MfTables, MfKernels>;

/** Ranks by b_i + <p_u, q_i>, and with `logistic` by the probability. It predicts no ratings. */
export function feedbackScorer(context: Context): Scorer {
  const { config, tables, memory, kernels } = context;
  const { k, objective } = config;
  const { users, items } = tables;
  const userVector = k === 0 ? () => NOWHERE : users.column('vector');
  const itemVector = k === 0 ? () => NOWHERE : items.column('vector');
  const biasOf = items.column('bias');
  const offsets = objective === 'logistic' ? offsetsOf(context) : undefined;

  const rankBy = (vector: Parameters<Rank>[0], length: number, asked: Parameters<Rank>[2], offset: number) =>
    eachStretch(items, asked, (row, count, out) => {
      kernels.scores(vector, itemVector(row), biasOf(row), items.stride, length, count, out);
      if (offsets) kernels.sigmoids(out, count, offset);
    });

  /** The summands of a score before it becomes a probability, in their order. */
  function partsOf(user: number, item: number): [term: string, value: number][] {
    const parts: [string, number][] = [];
    if (offsets) parts.push(['mean', offsets.shared()]);
    if (offsets && user !== NO_ROW) parts.push(['user_bias', offsets.of(user)]);
    parts.push(['item_bias', memory.f32[biasOf(item) >>> 2]]);
    if (k > 0 && user !== NO_ROW) parts.push(['taste', kernels.dot(userVector(user), itemVector(item), k)]);
    return parts;
  }

  return {
    score({ user }, ...asked) {
      const offset = offsets ? offsets.shared() + offsets.of(user) : 0;
      if (user === NO_ROW) rankBy(NOWHERE, 0, asked, offset);
      else rankBy(userVector(user), k, asked, offset);
    },

    explain({ user }, item) {
      const parts = partsOf(user, item);
      const shares = offsets ? risesOf(parts) : parts;
      return shares
        .map(([term, value]): Contribution => ({ term, value }))
        .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    },

    ...(k > 0 &&
      vectorScorer(context, (vector, length, asked) => rankBy(vector, length, asked, offsets ? offsets.shared() : 0))),
  };
}

/** What is added to all scores of a list: b and what corrects it, and b_u. */
function offsetsOf({ config, tables, memory }: Context) {
  const { f32: floats, u32: words } = memory;
  const { counters, users } = tables;
  const bias = counters.column('bias')(0) >>> 2;
  const rated = counters.column('rated')(0) >>> 2;
  const exposures = counters.column('exposures')(0) >>> 2;
  const userBias = users.column('bias');
  const { negatives } = config.feedback;
  return {
    /** Where negatives are drawn, N of M items, the odds among all items are N/M of those that are learned. */
    shared: () =>
      words[exposures] > 0 ? floats[bias] : floats[bias] + ln(negatives / Math.max(negatives, words[rated])),
    of: (user: number) => (user === NO_ROW ? 0 : floats[userBias(user) >>> 2]),
  };
}

/** By how much each summand of x lifts sigmoid(x), one after the other. */
function risesOf(parts: readonly [string, number][]): [string, number][] {
  let sum = 0;
  let reached = 0;
  return parts.map(([term, value]) => {
    sum += value;
    const before = reached;
    reached = sigmoid(sum);
    return [term, reached - before];
  });
}
