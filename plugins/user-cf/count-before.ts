import type { History } from '../contract/index.ts';

/** How many of the `count` ratings of a list came before `order`. */
export function countBefore(history: History, count: number, order: number, rowOf: (place: number) => number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (history.order(rowOf(middle)) < order) low = middle + 1;
    else high = middle;
  }
  return low;
}
