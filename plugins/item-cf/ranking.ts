import type { Address, ScoreContext, WritableAddress } from '../contract/index.ts';
import type { ItemCfConfig } from './config.ts';
import type { ItemCfKernels } from './kernels.ts';
import type { ItemCfTables } from './tables.ts';
import { transitionsView, type View } from './views.ts';

type Context = ScoreContext<ItemCfConfig, ItemCfTables, ItemCfKernels>;
/** The items that are asked for, and where their scores go: `spans`, `spanCount` and `out` of the contract. */
export type Asked = [spans: Uint32Array, spanCount: number, out: WritableAddress];

/** Items whose scores are summed up at a time: scratch memory has a size, catalogues have none. */
const BLOCK = 65_536;
const NOWHERE = 0 as Address;

/** Ranks by what follows the items of a list, the latest first. */
export interface Ranking {
  readonly recent: number;
  /** How much the n-th latest item says. */
  fade(n: number): number;
  readonly view: View;
  /** `items`: at most `recent` u32. */
  rank(items: Address, count: number, asked: Asked): void;
}

/** Makes rankings that share what they sum up in. */
export function rankings(context: Context, itemView: View): (name: 'transitions' | 'fast' | 'ease') => Ranking {
  const { config, tables, kernels, scores, scratch } = context;
  const sums = scratch(4 * BLOCK);

  return (name) => {
    const { partners, recent, fade } = config[name];
    // What leads to what is divided by how popular it is; what is expected together is not.
    const discounts = name === 'ease' ? NOWHERE : itemView.address;
    const view = transitionsView(context, tables[name], partners);
    const fades = scratch(4 * recent);
    for (let n = 0, left = 1; n < recent; n++, left *= fade) scores[(fades >>> 2) + n] = left;

    /**
     * The scores of those items that stand in the block from `block`; all that are asked are from `least` on, and before
     * `most`. This is asked for with every event, for dozens of short spans: nothing is made here.
     */
    function rankBlock(block: number, least: number, most: number, items: Address, count: number, asked: Asked): void {
      const [spans, spanCount, out] = asked;
      const end = block + BLOCK;
      const begin = Math.max(block, least);
      kernels.clear((sums + 4 * (begin - block)) as WritableAddress, Math.min(end, most) - begin);
      kernels.gather(view.address, discounts, count, items, fades, block, BLOCK, sums);
      let place = 0;
      for (let span = 0; span < spanCount; span++) {
        const start = spans[2 * span];
        const from = Math.max(start, block);
        const to = Math.min(spans[2 * span + 1], end);
        if (from < to) {
          const at = (sums + 4 * (from - block)) as Address;
          kernels.discounted(discounts, from, to - from, at, (out + 4 * (place + from - start)) as WritableAddress);
        }
        place += spans[2 * span + 1] - start;
      }
    }

    return {
      recent,
      fade: (n) => scores[(fades >>> 2) + n],
      view,
      rank(items, count, asked) {
        const [spans, spanCount] = asked;
        itemView.refresh();
        view.refresh();
        let [least, most] = [Number.POSITIVE_INFINITY, 0];
        for (let span = 0; span < spanCount; span++) {
          least = Math.min(least, spans[2 * span]);
          most = Math.max(most, spans[2 * span + 1]);
        }
        const first = Math.floor(least / BLOCK) * BLOCK;
        for (let block = first; block < most; block += BLOCK) rankBlock(block, least, most, items, count, asked);
      },
    };
  };
}
