import type { History } from '../contract/index.ts';
import { countBefore } from './count-before.ts';
import type { View } from './view.ts';

/** How many of an item's latest raters vote, and for how many ratings to either side of theirs. */
const VOTERS = 20;
const REACH = 20;
/** What a vote for what was rated before the item is worth, beside one for what was rated after it. */
const BACK = 0.5;
/** What is left of a vote with every rating in between, at the voter and at who is voted for. */
export const FADE = 0.9;

export type Visit = (item: number, value: number) => void;

/** Visits what the latest raters of an item rated next to it, each with a vote: `share` (1 + s_uv), faded. */
export function eachVote(
  history: History,
  { rowOf, agreement, exists }: View,
  user: number,
  item: number,
  share: number,
  visit: Visit,
): void {
  const own = rowOf(user);
  const count = history.itemCount(item);
  for (let n = Math.max(0, count - VOTERS); n < count; n++) {
    const rating = history.ofItem(item, n);
    const voter = history.user(rating);
    if (voter === user || !exists(voter)) continue;
    const ratings = history.userCount(voter);
    const itemAt = (place: number) => history.item(history.ofUser(voter, place));
    const at = countBefore(history, ratings, history.order(rating), (place) => history.ofUser(voter, place));
    const trust = share * (1 + agreement(own, voter));
    let vote = trust;
    for (let place = at + 1; place <= at + REACH && place < ratings; place++, vote *= FADE) visit(itemAt(place), vote);
    vote = BACK * trust;
    for (let place = at - 1; place >= at - REACH && place >= 0; place--, vote *= FADE) visit(itemAt(place), vote);
  }
}
