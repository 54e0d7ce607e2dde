import {
  type Address,
  type Contribution,
  eachRun,
  NO_ROW,
  type ScoreContext,
  type Scorer,
  type WritableAddress,
} from '../contract/index.ts';
import type { NcfConfig } from './config.ts';
import type { NcfKernels } from './kernels.ts';
import { predictor } from './predictor.ts';
import { lastOf } from './start.ts';
import type { NcfTables } from './tables.ts';

type Context = ScoreContext<NcfConfig, NcfTables, NcfKernels>;
/** The items that are asked for, and where their scores go: `spans`, `spanCount` and `out` of the contract. */
type Asked = [spans: Uint32Array, spanCount: number, out: WritableAddress];

/** What an item of a session adds to the vector of who looked at it, and what is left of that with every later one. */
const SHARE = 0.5;
const DECAY = 0.85;
/** Of a session's items the latest count; what the others would add is below SHARE/1000. */
const SESSION_MAX = 50;
/** A vector that is shorter has no direction. */
const LENGTH_MIN = 1e-6;

/** Ranks by the products, which cost one dot product an item, and by rank_i; for strangers, by rank_i alone. */
export function scorer(context: Context): Scorer {
  const { config, tables, kernels, memory, scores, scratch } = context;
  const { items, users } = tables;
  const { k } = config.gmf;
  const expect = predictor(context);
  const itemVector = items.column('vector');
  const userVector = users.column('vector');
  const rankOf = items.column('rank');
  const likenessOf = items.column('likeness');
  const { products } = lastOf(tables);
  const [folded, taste, unused] = [0, 1, 2].map(() => scratch(4 * k));

  /** Makes `taste` what an item's vector is to be multiplied with: (1 + v) p. */
  const weigh = (p: Address) => kernels.products(p, p, products, k, unused, unused, taste);

  function each([spans, spanCount, out]: Asked, x: (item: number) => Address, p: Address, n: number, times: boolean) {
    let at = out;
    for (let span = 0; span < spanCount; span++) {
      eachRun(items, spans[2 * span], spans[2 * span + 1], (row, count) => {
        kernels.scores(p, itemVector(row), x(row), items.stride, n, count, times, at);
        at = (at + 4 * count) as WritableAddress;
      });
    }
  }

  return {
    predict: ({ user }, item) => expect(user, item),

    score({ user }, ...asked) {
      if (user !== NO_ROW) weigh(userVector(user));
      each(asked, rankOf, taste, user === NO_ROW ? 0 : k, false);
    },

    similar(item, ...asked) {
      scores.fill(0, folded >>> 2, (folded >>> 2) + k);
      if (item !== NO_ROW) {
        const length = Math.sqrt(kernels.dot(itemVector(item), itemVector(item), k));
        kernels.addTo(folded, itemVector(item), k, 1 / Math.max(LENGTH_MIN, length));
      }
      each(asked, likenessOf, folded, k, true);
    },

    session({ items: seen }, ...asked) {
      scores.fill(0, folded >>> 2, (folded >>> 2) + k);
      let share = SHARE;
      for (let n = seen.length - 1; n >= Math.max(0, seen.length - SESSION_MAX); n--, share *= DECAY)
        kernels.addTo(folded, itemVector(seen[n]), k, share);
      weigh(folded);
      each(asked, rankOf, taste, k, false);
    },

    vectors: { width: k, of: itemVector },

    factors: {
      width: k,
      ofUser({ user }) {
        if (user === NO_ROW) return undefined;
        weigh(userVector(user));
        return taste;
      },
      ofItem: itemVector,
      biasOf: rankOf,
    },

    explain({ user }, item) {
      const parts: Contribution[] = [{ term: 'popularity', value: memory.f32[rankOf(item) >>> 2] }];
      if (user !== NO_ROW) {
        weigh(userVector(user));
        parts.push({ term: 'taste', value: kernels.dot(taste, itemVector(item), k) });
      }
      return parts.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    },
  };
}
