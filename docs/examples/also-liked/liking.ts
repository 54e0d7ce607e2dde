import type { Rated } from '../../../plugins/contract/index.ts';

/** How much a rating likes its item: 0 for the lowest. Multiples of 1/16, of which f32 adds up a million exactly. */
export function likingOf({ value, weight }: Pick<Rated, 'value' | 'weight'>): number {
  return Math.round(16 * weight * (value - 1)) / 16;
}
