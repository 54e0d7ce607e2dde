import {
  type Contribution,
  NO_ROW,
  type Query,
  type ScoreContext,
  type Scorer,
  WITHOUT_MAX,
  type WritableAddress,
} from '../contract/index.ts';
import type { ItemCfConfig } from './config.ts';
import type { ItemCfKernels } from './kernels.ts';
import { predictor } from './predictor.ts';
import { type Asked, type Ranking, rankings } from './ranking.ts';
import type { ItemCfTables } from './tables.ts';
import { itemView, type View } from './views.ts';

type Context = ScoreContext<ItemCfConfig, ItemCfTables, ItemCfKernels>;

/** Makes items that few rated less alike to others. */
const DOUBT = 20;

/** Predicts by ratings of similar items, ranks by what follows what. */
export function scorer(context: Context): Scorer {
  const { config, tables, memory, kernels, history, scratch } = context;
  const view = itemView(context, tables);
  const expect = predictor(context, view);
  const ranking = rankings(context, view);
  const [slow, fast] = [ranking('transitions'), ranking('fast')];
  const ease = config.ease.items > 0 ? ranking('ease') : undefined;
  const most = Math.max(slow.recent, fast.recent, config.ease.recent) + WITHOUT_MAX;
  const items = scratch(4 * most);
  const values = scratch(8 * most);

  /** Ranks by a user's latest ratings. */
  const byHistory =
    ({ recent, rank }: Ranking): Scorer['score'] =>
    ({ user }, ...asked) => {
      const count = history.latest(user, history.userCount(user), recent, items, values);
      rank(items, count, asked);
    };

  return {
    predict: ({ user }, item) => expect(user, item),
    score: byHistory(slow),
    heads: { fast: byHistory(fast), ...(ease && { ease: byHistory(ease) }) },
    similar: likeness(context, view),

    session({ items: seen }, ...asked) {
      const count = Math.min(seen.length, slow.recent);
      for (let n = 0; n < count; n++) kernels.put(items, n, seen[seen.length - 1 - n]);
      slow.rank(items, count, asked);
    },

    explain: explainer(context, slow),

    without({ user }, rated, ...asked) {
      const count = history.latest(user, history.userCount(user), slow.recent + rated.length, items, values);
      let left = 0;
      for (let n = 0; n < count && left < slow.recent; n++) {
        const item = memory.u32[(items >>> 2) + n];
        if (!rated.includes(item)) kernels.put(items, left++, item);
      }
      slow.rank(items, left, asked);
    },
  };
}

function likeness({ config, kernels }: Context, view: View): Required<Scorer>['similar'] {
  const { shrink } = config.neighbours;
  return (item, ...[spans, spanCount, out]: Asked) => {
    view.refresh();
    let at = out;
    for (let span = 0; span < spanCount; span++) {
      const [from, to] = [spans[2 * span], spans[2 * span + 1]];
      if (item === NO_ROW) kernels.clear(at, to - from);
      else kernels.likeness(view.address, item, from, to - from, shrink, DOUBT, at);
      at = (at + 4 * (to - from)) as WritableAddress;
    }
  };
}

/** Each of the latest ratings adds fade discount_j T[j -> i] discount_i. */
function explainer({ tables, memory, kernels, history }: Context, { recent, fade, view }: Ranking) {
  const { items } = tables;
  const discountOf = items.column('discount');
  return ({ user }: Query, item: number): Contribution[] => {
    const rated = history.userCount(user);
    view.refresh();
    return Array.from({ length: Math.min(rated, recent) }, (_, n) => {
      const before = history.item(history.ofUser(user, rated - 1 - n));
      const discount = before < items.rows ? memory.f32[discountOf(before) >>> 2] : 0;
      const led = kernels.leads(view.address, before, item);
      return { item: before, value: fade(n) * discount * led * memory.f32[discountOf(item) >>> 2] };
    })
      .filter(({ value }) => value > 0)
      .sort((a, b) => b.value - a.value);
  };
}
