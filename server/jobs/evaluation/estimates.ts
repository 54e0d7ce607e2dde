import type { Meter } from '../meter.ts';
import { Bootstrap, Draws, RESAMPLES, type UserSums } from './bootstrap.ts';
import type { Means, Statistic, Whole } from './statistic.ts';

/** Users by number, and how they are divided. */
export interface Users {
  readonly count: number;
  readonly segmentCount: number;
  /** By user. */
  readonly segment: Uint8Array;
  /** Where the observations of each user begin, and their count at the end. */
  readonly starts: readonly number[];
}

/** What a statistic comes to. `segment`: its number, or the number of segments for all users. */
export interface Estimate {
  value(segment: number): number;
  /** By resample of users, the same samples for every statistic: differences are paired. NaN: none. */
  resampled(segment: number): Float64Array;
}

export function estimate(statistics: readonly Statistic[], users: Users, seed: number, meter: Meter): Estimate[] {
  const means = (['rating', 'list'] as const).map((per) => {
    const own = statistics.filter((one) => 'parts' in one && one.per === per) as Means[];
    return { per, own, of: estimateMeans(own, per, users, seed, meter) };
  });
  const wholes = statistics.filter((one) => 'of' in one);
  const ofWholes = estimateWholes(wholes, users, seed, meter);
  return statistics.map((one) => {
    if ('of' in one) return ofWholes[wholes.indexOf(one)];
    const { own, of } = means.find(({ per }) => per === one.per) as (typeof means)[number];
    return of[own.indexOf(one)];
  });
}

/** Means add up: a sample of users needs only the sums of each. */
function estimateMeans(
  statistics: readonly Means[],
  per: Means['per'],
  users: Users,
  seed: number,
  meter: Meter,
): Estimate[] {
  if (statistics.length === 0) return [];
  const sums = sumByUser(statistics, per, users);
  const totals = new Totals(sums);
  const bootstrap = new Bootstrap(sums, seed, meter);
  let first = 0;
  return statistics.map(({ parts, figure }) => {
    const series = parts.map((_, n) => first + n);
    first += parts.length;
    return {
      value: (segment) => figure(series.map((one) => totals.mean(one, segment))),
      resampled: (segment) => bootstrap.resampled(series, segment, figure),
    };
  });
}

function sumByUser(statistics: readonly Means[], per: Means['per'], { count, starts, ...users }: Users): UserSums {
  const parts = statistics.flatMap((one) => one.parts);
  // The list of a user has the user's number.
  const [from, to] = per === 'list' ? [(u: number) => u, (u: number) => u + 1] : [at(starts, 0), at(starts, 1)];
  const sums = new Float64Array(count * parts.length);
  for (const [s, part] of parts.entries()) {
    for (let u = 0; u < count; u++) for (let n = from(u); n < to(u); n++) sums[u * parts.length + s] += part(n);
  }
  const observations = Float64Array.from({ length: count }, (_, u) => to(u) - from(u));
  return { userCount: count, seriesCount: parts.length, ...users, observations, sums };
}

const at = (starts: readonly number[], offset: number) => (user: number) => starts[user + offset];

/** What the figures themselves come from: each user once. */
class Totals {
  readonly #users: UserSums;

  constructor(users: UserSums) {
    this.#users = users;
  }

  mean(series: number, segment: number): number {
    const { seriesCount, sums, observations } = this.#users;
    const sum = this.#sum(segment, (user) => sums[user * seriesCount + series]);
    return sum / this.#sum(segment, (user) => observations[user]);
  }

  #sum(segment: number, of: (user: number) => number): number {
    const { userCount, segmentCount, segment: own } = this.#users;
    let sum = 0;
    for (let user = 0; user < userCount; user++) {
      if (segment === segmentCount || own[user] === segment) sum += of(user);
    }
    return sum;
  }
}

/** A function of everything is computed anew for every sample. */
function estimateWholes(statistics: readonly Whole[], users: Users, seed: number, meter: Meter): Estimate[] {
  if (statistics.length === 0) return [];
  const { count, segmentCount, segment: own } = users;
  const segments = segmentCount + 1;
  const weights = Array.from({ length: segments }, () => new Uint32Array(count));
  const weigh = (user: number) => {
    weights[own[user]][user]++;
    weights[segmentCount][user]++;
  };
  const resampled = statistics.map(() => weights.map(() => new Float64Array(RESAMPLES)));
  const draws = new Draws(count, seed);
  meter.begin('intervals', 'resamples', RESAMPLES * statistics.length);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    for (const each of weights) each.fill(0);
    for (let n = 0; n < count; n++) weigh(draws.next());
    for (const [s, { of }] of statistics.entries()) {
      for (const [segment, each] of weights.entries()) resampled[s][segment][resample] = of(each);
      meter.add();
    }
  }
  for (const each of weights) each.fill(0);
  for (let user = 0; user < count; user++) weigh(user);
  const values = statistics.map(({ of }) => weights.map((each) => of(each)));
  return statistics.map((_, s) => ({
    value: (segment) => values[s][segment],
    resampled: (segment) => resampled[s][segment],
  }));
}
