import { f64 } from '../contract/index.ts';
import type { PopularityConfig } from './config.ts';

/** C of an item is mantissa 2^exponent, with 1 <= mantissa < 2, or 0. */
export const tables = {
  items: { index: 'item', columns: { mantissa: f64(), exponent: f64() } },
} as const;

export type PopularityTables = typeof tables;

const DAY = 86_400;

/** 1/H; 0 when nothing fades. */
export function halvingsPerSecond({ halfLifeDays }: PopularityConfig): number {
  return halfLifeDays === null ? 0 : 1 / (halfLifeDays * DAY);
}
