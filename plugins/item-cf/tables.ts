import { f32, f64, type TableSpec, u32 } from '../contract/index.ts';
import type { ItemCfConfig } from './config.ts';

/** Partners of an item lie in sets, found by a hash; sets come in pages. */
export const SLOTS = 8;
export const PAGE_SETS = 8;

export const pagesMax = ({ neighbours }: ItemCfConfig): number => neighbours.partners / (SLOTS * PAGE_SETS);

/** The tables of `item-cf`. */
export function tables(config: ItemCfConfig) {
  const always = {
    users: { index: 'user', columns: { bias: f64() } },
    /**
     * `pages`: of its first so many sets, a power of two, where they are: row `8 page` of `pairs` and the seven after it.
     * `discount`: (ratings + 5)^-popularity.
     */
    items: {
      index: 'item',
      columns: { pages: u32(pagesMax(config)), bias: f64(), discount: f32(), ratings: u32(), sets: u32() },
    },
    /**
     * A set of partners j of an item i: `key` is j + 1, or 0 where there is none. `sums`, four each, over the ratings of i
     * by people who had rated j, of weights w: those of w, w e_i e_j, w e_i² and w e_j².
     */
    pairs: {
      index: 'pool',
      perEvent: PAGE_SETS * pagesMax(config),
      columns: { key: u32(SLOTS), sums: f32(4 * SLOTS) },
    },
    transitions: rows(config.transitions.partners),
    fast: rows(config.fast.partners),
    /** Over all live ratings: the sum of weight (value - 3.5), and of weight. */
    model: { index: 'model', columns: { sum: f64(), weight: f64() } },
  } as const;
  const ease = { ...rows(config.ease.partners), sampled: false };
  // Where it is off there is no such table, and nobody asks for it.
  return (config.ease.items > 0 ? { ...always, ease } : always) as typeof always & { readonly ease: typeof ease };
}

/** What an item leads to: its first `length` entries; the weight of an entry is `weight`/`scale`. */
const rows = (partners: number) =>
  ({
    index: 'item',
    sampled: true,
    columns: { to: u32(partners), weight: f32(partners), length: u32(), scale: f32() },
  }) as const satisfies TableSpec;

export type ItemCfTables = ReturnType<typeof tables>;
