import { Random } from '../../../plugins/contract/index.ts';
import type { Meter } from '../meter.ts';

/** Resamples of a bootstrap. */
export const RESAMPLES = 1000;
/** Of the 95% interval. */
const LOWER = 0.025;
const UPPER = 0.975;

/** Sums by user, in `seriesCount` series, of observations that fall into segments by user. */
export interface UserSums {
  readonly userCount: number;
  readonly seriesCount: number;
  readonly segmentCount: number;
  /** By user. */
  readonly segment: Uint8Array;
  readonly observations: Float64Array;
  /** Of series s for user u: [u * seriesCount + s]. */
  readonly sums: Float64Array;
}

/** A figure of means. */
export type FigureOf = (means: readonly number[]) => number;

/** The bounds of a 95% interval; undefined when too few users stand behind it. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The percentile bootstrap over users (Efron 1979): as many users are drawn with repetition as there are, `RESAMPLES`
 * times, each with all observations; what the figures of these samples spread over is the interval. All series see the
 * same samples, so that differences are paired.
 */
export class Bootstrap {
  readonly #segments: number;
  /** Means by series, segment (the last one: all) and resample; NaN where a sample has no observation. */
  readonly #means: Float64Array;

  constructor(users: UserSums, seed: number, meter: Meter) {
    const { seriesCount, segmentCount } = users;
    this.#segments = segmentCount + 1;
    this.#means = new Float64Array(seriesCount * this.#segments * RESAMPLES);
    const sums = new Float64Array(segmentCount * seriesCount);
    const counts = new Float64Array(segmentCount);
    const draws = new Draws(users.userCount, seed);
    meter.begin('intervals', 'resamples', RESAMPLES);
    for (let resample = 0; resample < RESAMPLES; resample++) {
      addUp(users, draws, sums, counts);
      this.#keep(resample, sums, counts, seriesCount);
      meter.add();
    }
  }

  /** The interval of what `figure` makes of the means of `series`. `segment`: its number, or the number of segments for all. */
  interval(series: readonly number[], segment: number, figure: FigureOf): Interval | undefined {
    return intervalOf(this.resampled(series, segment, figure));
  }

  /** What `figure` makes of the means of `series`, by resample; NaN where one has no observation. */
  resampled(series: readonly number[], segment: number, figure: FigureOf): Float64Array {
    return Float64Array.from({ length: RESAMPLES }, (_, resample) => {
      const means = series.map((s) => this.#means[(s * this.#segments + segment) * RESAMPLES + resample]);
      return means.some(Number.isNaN) ? Number.NaN : figure(means);
    });
  }

  #keep(resample: number, sums: Float64Array, counts: Float64Array, seriesCount: number): void {
    const segmentCount = counts.length;
    for (let s = 0; s < seriesCount; s++) {
      let [total, count] = [0, 0];
      for (let segment = 0; segment < segmentCount; segment++) {
        const sum = sums[segment * seriesCount + s];
        this.#means[(s * this.#segments + segment) * RESAMPLES + resample] = sum / counts[segment];
        total += sum;
        count += counts[segment];
      }
      this.#means[(s * this.#segments + segmentCount) * RESAMPLES + resample] = total / count;
    }
  }
}

/** The users of all samples, one after the other: the same ones for equal seeds and as many users. */
export class Draws {
  readonly #userCount: number;
  readonly #random = new Random();

  constructor(userCount: number, seed: number) {
    this.#userCount = userCount;
    this.#random.key(seed, 0);
  }

  next(): number {
    return this.#random.below(this.#userCount);
  }
}

/** One sample of users: its sums and counts of observations by segment. */
function addUp(users: UserSums, draws: Draws, sums: Float64Array, counts: Float64Array): void {
  const { userCount, seriesCount, segment, observations, sums: bySeries } = users;
  sums.fill(0);
  counts.fill(0);
  for (let n = 0; n < userCount; n++) {
    const user = draws.next();
    const to = segment[user] * seriesCount;
    const from = user * seriesCount;
    counts[segment[user]] += observations[user];
    for (let s = 0; s < seriesCount; s++) sums[to + s] += bySeries[from + s];
  }
}

/** What the middle of resampled figures spreads over; those that are no number count for nothing. */
export function intervalOf(resampled: Float64Array): Interval | undefined {
  const sorted = resampled.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return undefined;
  return { lower: quantile(sorted, LOWER), upper: quantile(sorted, UPPER) };
}

/** Between the two nearest, in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
