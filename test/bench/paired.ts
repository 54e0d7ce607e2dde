import { Bootstrap } from '../../server/jobs/evaluation/bootstrap.ts';
import { Meter } from '../../server/jobs/meter.ts';
import type { Ratings } from '../data.ts';

/** The RMSE of one model less that of another on the same ratings; the interval is that of a bootstrap over users. */
export interface Difference {
  readonly value: number;
  readonly interval: readonly [number, number] | undefined;
}

const SEED = 1;
/** The segment of all users, where there is one of some. */
const ALL = 1;

/** `squared`: the squared errors of each of the two, rating by rating. */
export function rmseDifference(
  { user, count }: Pick<Ratings, 'user' | 'count'>,
  squared: readonly [Float64Array, Float64Array],
): Difference {
  const places = new Map<number, number>();
  for (let n = 0; n < count; n++) if (!places.has(user[n])) places.set(user[n], places.size);
  const userCount = places.size;
  const observations = new Float64Array(userCount);
  const sums = new Float64Array(2 * userCount);
  for (let n = 0; n < count; n++) {
    const place = places.get(user[n]) as number;
    observations[place]++;
    sums[2 * place] += squared[0][n];
    sums[2 * place + 1] += squared[1][n];
  }
  const users = { userCount, seriesCount: 2, segmentCount: 1, segment: new Uint8Array(userCount), observations, sums };
  const difference = ([one, other]: readonly number[]) => Math.sqrt(one) - Math.sqrt(other);
  const means = squared.map((errors) => errors.reduce((sum, error) => sum + error, 0) / count);
  const found = new Bootstrap(users, SEED, new Meter(() => {})).interval([0, 1], ALL, difference);
  return { value: difference(means), interval: found && [found.lower, found.upper] };
}
