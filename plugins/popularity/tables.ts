import { f64, u32 } from '../contract/index.ts';
import type { PopularityConfig } from './config.ts';

/** C of an item is mantissa 2^exponent, with 1 <= mantissa < 2, or 0. `ratings` says when C must be exactly 0 again. */
export const tables = {
  items: { index: 'item', columns: { mantissa: f64(), exponent: f64(), ratings: u32() } },
} as const;

export type PopularityTables = typeof tables;

const DAY = 86_400;

/** 1/H; 0 when nothing fades. */
export function halvingsPerSecond({ halfLifeDays }: PopularityConfig): number {
  return halfLifeDays === null ? 0 : 1 / (halfLifeDays * DAY);
}
