import { f64 } from '../contract/index.ts';
import type { StackConfig } from './config.ts';

/** Buckets of the time since the user's last event: up to 5 s, below 2 min, below 1 h, more. */
export const GAPS = 4;
/** Polynomials of the expected rating: 1, y, y² - .5, y³. */
export const MEDIAN_WIDTH = 4;

/** Numbers that the regression takes, with m inputs. */
export function widthOf({ rating }: StackConfig): number {
  return 3 * rating.inputs.length + 16;
}

/** Tables of a stack: n numbers in the regression, h rankings. */
export function tables(config: StackConfig) {
  const n = widthOf(config);
  const h = Math.max(1, config.ranking.inputs.length);
  return {
    users: {
      index: 'user',
      columns: {
        /** First ratings learned. */
        count: f64(),
        /** When the last one was, seconds since 1970. */
        last: f64(),
        /** Means of the stack's own misses: over the last few, over all. */
        fast: f64(),
        slow: f64(),
        /** Mean of their squares. */
        square: f64(),
        /** What the base expected last, less 3.5. */
        base: f64(),
      },
    },
    items: { index: 'item', columns: { count: f64() } },
    model: {
      index: 'model',
      columns: {
        events: f64(),
        /** P of the regression, row by row, and W. */
        covariance: f64(n * n),
        weights: f64(n),
        median: f64(MEDIAN_WIDTH),
        /** Of each ranking: its weight, and what is added to it by the gap. */
        mix: f64(h),
        byGap: f64(GAPS * h),
      },
    },
  } as const;
}

export type StackTables = ReturnType<typeof tables>;
