import type { Guard } from '../../proto/gen/accrete/v1/fuse.ts';
import type { ContestTask } from '../jobs/fuse/contest.ts';
import { WINDOW_MAX, WINDOW_MIN } from '../jobs/fuse/window-size.ts';
import type { Fields } from './fields.ts';

/** How a candidate is to be judged, but for what is known of the model. */
export type AskedGuard = Omit<ContestTask['guard'], 'seed' | 'spent'>;

/** As it was asked; notes what cannot be, but for the metric. */
export function guardOf(asked: Guard | undefined, marginDefault: number, fields: Fields): AskedGuard {
  const { metric = '', margin = marginDefault, windowEvents = 0 } = asked ?? {};
  fields.share('guard.margin', margin);
  if (windowEvents !== 0 && (windowEvents < WINDOW_MIN || windowEvents > WINDOW_MAX))
    fields.refuse('guard.window_events', `is ${windowEvents}: send ${WINDOW_MIN} to ${WINDOW_MAX}, or 0`);
  return { metric, margin, windowEvents };
}
