import type { History } from '../contract/index.ts';

/** How many of a user's ratings came before `order`: the number of the first one that did not. */
export function placeOf(history: History, user: number, order: number): number {
  return firstOf(history.userCount(user), (n) => history.order(history.ofUser(user, n)) >= order);
}

/** The number of a user's first rating that came after `order`. */
export function placeAfter(history: History, user: number, order: number): number {
  return firstOf(history.userCount(user), (n) => history.order(history.ofUser(user, n)) > order);
}

/** How many ratings of an item came after `order`. */
export function countAfter(history: History, item: number, order: number): number {
  const count = history.itemCount(item);
  return count - firstOf(count, (n) => history.order(history.ofItem(item, n)) > order);
}

/** The first of 0 .. count - 1 for which something is so that is so for all later ones, too; count when there is none. */
function firstOf(count: number, isSo: (n: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
