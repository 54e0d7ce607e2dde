import { f32, f64 } from '../contract/index.ts';
import { type BanditConfig, isLinear } from './config.ts';

const counts = { shown: f64(), earned: f64() };

const common = {
  model: {
    index: 'model',
    columns: {
      ...counts,
      /** What was done with items that the user had not been shown. */
      unclaimed: f64(),
    },
  },
} as const;

/** Numbers of the lower triangle of a matrix with `n` rows. */
export const triangle = (n: number) => (n * (n + 1)) / 2;

/** Tables of a bandit that looks at vectors of n numbers. */
function linearTables({ width: n }: BanditConfig) {
  return {
    ...common,
    items: { index: 'item', columns: { ...counts, vector: f32(n) } },
    users: {
      index: 'user',
      columns: {
        /** A^-1, row by row to the diagonal; all 0 until the user is shown something. */
        inverse: f64(triangle(n)),
        target: f64(n),
        weights: f64(n),
      },
    },
  } as const;
}

const plainTables = { ...common, items: { index: 'item', columns: counts } } as const;

export type LinearTables = ReturnType<typeof linearTables>;
export type BanditTables = LinearTables | typeof plainTables;

export const tables = (config: BanditConfig): BanditTables => (isLinear(config) ? linearTables(config) : plainTables);
