import { AccreteError } from '../../errors.ts';

/** How many of the latest live ratings a guard judges by. */

export const WINDOW_MIN = 1000;
export const WINDOW_MAX = 100_000;
const SHARE = 0.1;

/**
 * The last tenth of `live` ratings, or `asked` of them where that is not 0, within the bounds. There has to be something
 * before the window, so that there are models to judge. Throws TOO_FEW_EVENTS.
 */
export function windowSize(live: number, asked = 0): number {
  const wanted = asked === 0 ? Math.ceil(SHARE * live) : asked;
  const size = Math.min(WINDOW_MAX, Math.max(WINDOW_MIN, wanted));
  if (live > size) return size;
  const remedy =
    size > WINDOW_MIN
      ? `ask for fewer than ${live} (guard.window_events, ${WINDOW_MIN} at least), or wait for more ratings`
      : 'wait for more ratings';
  const message = `A candidate is judged by the latest ${size} live ratings, and by what came before them; there are ${live} in all: ${remedy}`;
  throw new AccreteError('TOO_FEW_EVENTS', message, {
    metadata: { live_ratings: String(live), window_events: String(size) },
  });
}
