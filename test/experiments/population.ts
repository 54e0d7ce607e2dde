import type { MetricKind } from '../../server/experiments/statistics/figures.ts';
import type { Metric } from '../../server/experiments/statistics/metric.ts';
import type { Draws } from '../../server/experiments/statistics/testing/draws.ts';
import type { Ratings } from '../data.ts';
import type { BanditLog } from './open-bandit.ts';

/** Real users, of whom the users of simulated experiments are drawn: each is one of them, from the first event to the last. */
export interface Population {
  readonly name: string;
  /** By user: what each of the user's events was worth, by metric. */
  readonly users: readonly (readonly Float64Array[])[];
  readonly metrics: readonly Measured[];
}

/** A metric, and what an arm that does something changes of an event's worth. */
export interface Measured extends Metric {
  readonly name: string;
  readonly lifted: (worth: number, lift: number, draws: Draws) => number;
}

const scaled = (worth: number, lift: number) => worth * (1 + lift);
/** What did not happen happens with so much more chance. */
const happens = (worth: number, lift: number, draws: Draws) => (worth === 0 && draws.uniform() < lift ? 1 : worth);

const metric = (name: string, kind: MetricKind, lifted: Measured['lifted'], more: Partial<Metric> = {}): Measured => ({
  name,
  kind,
  better: 'higher',
  isRoot: false,
  lifted,
  ...more,
});

/** Of lists of ten, by how often items were rated. */
const LIST = 10;
/** Ratings of one user that are played: a few have thousands. */
const EVENTS_MAX = 200;

/** Users of a rating set; worths are of a model that expects each item's mean and ranks by how often items were rated. */
export function ratingUsers(name: string, { count, user, item, value }: Ratings): Population {
  const most = value.reduce((a, b) => Math.max(a, b), 0);
  const [sums, counts] = [new Map<number, number>(), new Map<number, number>()];
  for (let n = 0; n < count; n++) {
    sums.set(item[n], (sums.get(item[n]) ?? 0) + value[n]);
    counts.set(item[n], (counts.get(item[n]) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const placeOf = new Map(byCount.map(([of], place) => [of, place]));
  const worths = (n: number): Float64Array => {
    const mean = (sums.get(item[n]) ?? 0) / (counts.get(item[n]) ?? 1);
    const place = placeOf.get(item[n]) ?? LIST;
    return Float64Array.of(
      value[n] === most ? 1 : 0,
      value[n] >= 0.8 * most ? value[n] : 0,
      (value[n] - mean) ** 2,
      place < LIST ? 1 / Math.log2(2 + place) : 0,
    );
  };
  const users = Map.groupBy(
    Array.from({ length: count }, (_, n) => n),
    (n) => user[n],
  );
  return {
    name,
    users: [...users.values()].map((own) => own.slice(0, EVENTS_MAX).map(worths)),
    metrics: [
      metric('conversion', 'share', happens),
      metric('mean_value', 'total', scaled),
      metric('rmse', 'mean', scaled, { better: 'lower', isRoot: true }),
      metric('ndcg@10', 'mean', scaled),
    ],
  };
}

/** Of a log of clicks, in which nobody comes twice. */
export function clickUsers(name: string, { reward }: BanditLog): Population {
  return {
    name,
    users: Array.from(reward, (click) => [Float64Array.of(click)]),
    metrics: [metric('clicks by exposure', 'mean', happens)],
  };
}
