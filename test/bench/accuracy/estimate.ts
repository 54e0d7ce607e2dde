import { Bootstrap } from '../../../server/jobs/evaluation/bootstrap.ts';
import { Meter } from '../../../server/jobs/meter.ts';

/** A mean over observations, or a figure of it. */
export interface Estimate {
  readonly value: number;
  /** 95%, by a bootstrap over users. */
  readonly interval: readonly [number, number] | undefined;
}

const SEED = 1;
/** The segment of all users, where there is one of some. */
const ALL = 1;
const IDENTITY = (mean: number) => mean;

/** Of what was observed of users, observation by observation. */
export function estimate(
  user: ArrayLike<number>,
  observed: ArrayLike<number>,
  figure: (mean: number) => number = IDENTITY,
): Estimate {
  const places = new Map<number, number>();
  for (let n = 0; n < user.length; n++) if (!places.has(user[n])) places.set(user[n], places.size);
  const userCount = places.size;
  const observations = new Float64Array(userCount);
  const sums = new Float64Array(userCount);
  let total = 0;
  for (let n = 0; n < user.length; n++) {
    const place = places.get(user[n]) as number;
    observations[place]++;
    sums[place] += observed[n];
    total += observed[n];
  }
  const users = { userCount, seriesCount: 1, segmentCount: 1, segment: new Uint8Array(userCount), observations, sums };
  const found = new Bootstrap(users, SEED, new Meter(() => {})).interval([0], ALL, ([mean]) => figure(mean));
  return { value: figure(total / user.length), interval: found && [found.lower, found.upper] };
}

/** RMSE and MAE by squared errors; nothing of what was not predicted. */
export function errorsOf(user: ArrayLike<number>, squared: Float64Array): Readonly<Record<string, Estimate>> {
  return { RMSE: estimate(user, squared, Math.sqrt), MAE: estimate(user, squared.map(Math.sqrt)) };
}

/** Hit rate and NDCG at 10 by places from 0, infinite for what was not found. */
export function ranksOf(user: ArrayLike<number>, places: readonly number[]): Readonly<Record<string, Estimate>> {
  const gains = places.map((place) => (place < LIST ? 1 / Math.log2(place + 2) : 0));
  return {
    'HR@10': estimate(
      user,
      places.map((place) => (place < LIST ? 1 : 0)),
    ),
    'NDCG@10': estimate(user, gains),
  };
}

const LIST = 10;
