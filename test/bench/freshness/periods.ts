import type { Ratings } from '../../data.ts';

/** The ratings of one stretch of T seconds of the stream's time: places `from` up to `to`. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** All periods of T seconds, from the first rating on, in which something was rated. */
export function periodsOf({ time, count }: Pick<Ratings, 'time' | 'count'>, seconds: number): Period[] {
  const numberOf = (place: number) => Math.floor((time[place] - time[0]) / seconds);
  const periods: Period[] = [];
  for (let from = 0; from < count; ) {
    let to = from + 1;
    while (to < count && numberOf(to) === numberOf(from)) to++;
    periods.push({ from, to });
    from = to;
  }
  return periods;
}

/** A period that is measured, and for which part of all ratings it stands. */
export interface Drawn {
  readonly place: number;
  readonly share: number;
}

/**
 * All periods where there are no more than `most`; else those in which evenly spaced ratings lie: a period is so drawn with a
 * chance proportional to its ratings, and the mean over those drawn of what a rating costs there is that over all, on average.
 */
export function draw(periods: readonly Period[], most: number): Drawn[] {
  const count = periods.at(-1)?.to ?? 0;
  if (periods.length <= most) return periods.map(({ from, to }, place) => ({ place, share: (to - from) / count }));
  const shares = new Map<number, number>();
  let place = 0;
  for (let n = 0; n < most; n++) {
    const rating = ((n + 0.5) * count) / most;
    while (periods[place].to <= rating) place++;
    shares.set(place, (shares.get(place) ?? 0) + 1 / most);
  }
  return [...shares].map(([drawn, share]) => ({ place: drawn, share }));
}
