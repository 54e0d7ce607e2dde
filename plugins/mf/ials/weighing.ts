import type { KindEvent, LearnContext, Rated } from '../../contract/index.ts';
import { FOR, type Trials } from '../feedback/trials.ts';
import type { Weighing } from './positives.ts';

/** What speaks for an item is a positive, and weighs what it weighs; what does not is none. */
export function weighingBy(
  trials: Trials,
  { history, events }: Pick<LearnContext<never, never, never>, 'history' | 'events'>,
) {
  return {
    rating: (rated: Rated) => (trials.ofRating(rated) === FOR ? rated.weight : 0),
    event: ({ kind, value, weight, exposure }: KindEvent) =>
      trials.ofEvent(kind, value, weight, exposure) === FOR ? weight : 0,
    ratingRow: (row: number) => (trials.ofRatingRow(row) === FOR ? history.weight(row) : 0),
    eventRow: (row: number) => (trials.ofEventRow(row) === FOR ? events.weight(row) : 0),
  } satisfies Weighing & Record<string, unknown>;
}
