import type { EventHistory } from '../contract/index.ts';

/** So many of the latest events of the user, or of the item, are looked through for the exposure that an outcome follows. */
const LOOKED_THROUGH = 500;

interface Outcome {
  readonly user: number;
  readonly item: number;
  /** Seconds since 1970. */
  readonly time: number;
}

/** Whether the user was shown the item in the time before an outcome, as far as that was not taken back. */
export function isClaimed(events: EventHistory, { user, item, time }: Outcome, windowSeconds: number): boolean {
  const byUser = events.userCount(user);
  const byItem = events.itemCount(item);
  const isUsers = byUser <= byItem;
  const count = Math.min(byUser, byItem);
  for (let n = count - 1; n >= Math.max(0, count - LOOKED_THROUGH); n--) {
    const row = isUsers ? events.ofUser(user, n) : events.ofItem(item, n);
    const isOfBoth = isUsers ? events.item(row) === item : events.user(row) === user;
    if (!isOfBoth || !events.exposure(row) || events.weight(row) === 0) continue;
    const waited = time - events.time(row);
    if (waited >= 0 && waited <= windowSeconds) return true;
  }
  return false;
}
