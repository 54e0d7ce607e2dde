import type { Removal } from '../exchange/forgetting.ts';

/** One for each place from which anything was removed. */
export function sumRemovals(removals: readonly Removal[]): Removal[] {
  const counts = new Map<string, number>();
  for (const { place, count } of removals) counts.set(place, (counts.get(place) ?? 0) + count);
  return Array.from(counts, ([place, count]) => ({ place, count })).filter(({ count }) => count > 0);
}
