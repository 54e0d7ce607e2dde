import type { Meter } from '../meter.ts';
import { Bootstrap, type Interval, type UserSums } from './bootstrap.ts';
import { findMetric, type Metric } from './metrics.ts';
import { type Answers, type Observations, userStarts } from './observations.ts';

/** A figure of a model, or its difference from the baseline's. */
export interface Figure {
  readonly model: string;
  readonly metric: string;
  readonly value: number;
  /** Absent when fewer than two users stand behind the figure. */
  readonly interval: Interval | undefined;
  /** Observations. */
  readonly count: number;
  /** "" for all. */
  readonly segment: string;
}

export interface Difference extends Figure {
  readonly baseline: string;
}

/** Users by the ratings that they have in training: how well a model does for the cold and for the warm. */
const SEGMENTS = [
  { name: 'history:0', from: 0 },
  { name: 'history:1-9', from: 1 },
  { name: 'history:10-49', from: 10 },
  { name: 'history:50+', from: 50 },
] as const;
/** The place of all users after the segments. */
const ALL = SEGMENTS.length;

/** A metric of a model. */
interface Series {
  readonly answers: Answers;
  readonly metric: Metric;
}

/** The figures of all models, and the differences of each from the first one. */
export function report(
  observations: Observations,
  answers: readonly Answers[],
  { metrics, seed }: { readonly metrics: readonly string[]; readonly seed: number },
  meter: Meter,
): { figures: Figure[]; differences: Difference[] } {
  if (observations.count === 0) return { figures: [], differences: [] };
  const series = answers.flatMap((answer) => seriesOf(answer, metrics));
  const sums = sumByUser(observations, series);
  const totals = new Totals(sums);
  const bootstrap = new Bootstrap(sums, seed, meter);
  const figures: Figure[] = [];
  const differences: Difference[] = [];
  for (const [s, { answers: own, metric }] of series.entries()) {
    const base = series.findIndex((other) => other.answers === answers[0] && other.metric.name === metric.name);
    for (const segment of [ALL, ...SEGMENTS.keys()]) {
      const count = totals.observations(segment);
      if (count === 0) continue;
      const figure = (of: readonly number[], make: (means: readonly number[]) => number): Figure => ({
        model: own.model,
        metric: metric.name,
        value: make(of.map((one) => totals.mean(one, segment))),
        interval: totals.users(segment) < 2 ? undefined : bootstrap.interval(of, segment, make),
        count,
        segment: segment === ALL ? '' : SEGMENTS[segment].name,
      });
      figures.push(figure([s], ([mean]) => metric.figure(mean)));
      if (own === answers[0] || base < 0) continue;
      const difference = figure([s, base], ([mean, other]) => metric.figure(mean) - metric.figure(other));
      differences.push({ ...difference, baseline: answers[0].model });
    }
  }
  return { figures, differences };
}

function seriesOf(answers: Answers, names: readonly string[]): Series[] {
  return names
    .map(findMetric)
    .filter((metric) => metric !== undefined)
    .filter((metric) => metric.of === 'rank' || answers.predicted !== undefined)
    .map((metric) => ({ answers, metric }));
}

function sumByUser(observations: Observations, series: readonly Series[]): UserSums {
  const starts = userStarts(observations);
  const userCount = starts.length - 1;
  const users: UserSums = {
    userCount,
    seriesCount: series.length,
    segmentCount: SEGMENTS.length,
    segment: Uint8Array.from({ length: userCount }, (_, u) => segmentOf(observations.history[starts[u]])),
    observations: Float64Array.from({ length: userCount }, (_, u) => starts[u + 1] - starts[u]),
    sums: new Float64Array(userCount * series.length),
  };
  for (const [s, { answers, metric }] of series.entries()) {
    for (let u = 0; u < userCount; u++) {
      for (let n = starts[u]; n < starts[u + 1]; n++) {
        const error = answers.predicted ? observations.value[n] - answers.predicted[n] : Number.NaN;
        users.sums[u * series.length + s] += metric.score(error, answers.rank[n]);
      }
    }
  }
  return users;
}

function segmentOf(history: number): number {
  return SEGMENTS.findLastIndex(({ from }) => history >= from);
}

/** What the figures themselves come from: each user once. */
class Totals {
  readonly #users: UserSums;

  constructor(users: UserSums) {
    this.#users = users;
  }

  mean(series: number, segment: number): number {
    const { seriesCount, sums } = this.#users;
    return this.#sum(segment, (user) => sums[user * seriesCount + series]) / this.observations(segment);
  }

  observations(segment: number): number {
    return this.#sum(segment, (user) => this.#users.observations[user]);
  }

  users(segment: number): number {
    return this.#sum(segment, () => 1);
  }

  #sum(segment: number, of: (user: number) => number): number {
    let sum = 0;
    for (let user = 0; user < this.#users.userCount; user++) {
      if (segment === ALL || this.#users.segment[user] === segment) sum += of(user);
    }
    return sum;
  }
}
