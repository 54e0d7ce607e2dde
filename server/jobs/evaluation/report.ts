import type { Meter } from '../meter.ts';
import { type Interval, intervalOf } from './bootstrap.ts';
import type { ItemFacts } from './catalogue.ts';
import { estimate, type Users } from './estimates.ts';
import { findMeasure } from './measures.ts';
import { type Answers, type Observations, userStarts } from './observations.ts';
import type { Evidence, Statistic } from './statistic.ts';

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

/** A figure that was asked for, and that a model does not have. */
export interface Gap {
  readonly model: string;
  readonly metric: string;
  /** Begins with what the metric lacks. */
  readonly why: string;
}

export interface Report {
  readonly figures: readonly Figure[];
  readonly differences: readonly Difference[];
  readonly gaps: readonly Gap[];
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

/** What there is to report of. */
export interface Findings extends Pick<Evidence, 'scale'> {
  readonly observations: Observations;
  readonly answers: readonly Answers[];
  readonly catalogue: ItemFacts;
}

/** The figures of all models, and the differences of each from the first one. */
export function report(
  { observations, answers, ...findings }: Findings,
  { metrics, seed }: { readonly metrics: readonly string[]; readonly seed: number },
  meter: Meter,
): Report {
  const figures: Figure[] = [];
  const differences: Difference[] = [];
  const gaps: Gap[] = [];
  if (observations.count === 0) {
    for (const { model } of answers)
      for (const metric of metrics) gaps.push({ model, metric, why: 'nothing is held out' });
    return { figures, differences, gaps };
  }
  const users = divide(observations);
  const series: { readonly model: string; readonly metric: string; readonly statistic: Statistic }[] = [];
  for (const own of answers) {
    const evidence = { observations, starts: users.starts, answers: own, ...findings };
    for (const metric of metrics) {
      const made = findMeasure(metric)?.make(evidence) ?? 'there is no such metric';
      if (typeof made === 'string') gaps.push({ model: own.model, metric, why: made });
      else series.push({ model: own.model, metric, statistic: made });
    }
  }
  const statistics = series.map(({ statistic }) => statistic);
  const estimates = estimate(statistics, users, seed, meter);
  const segments = segmentsOf(users);
  const baseline = answers[0]?.model;
  for (const [s, { model, metric, statistic }] of series.entries()) {
    const base = series.findIndex((other) => other.model === baseline && other.metric === metric);
    for (const segment of segments) {
      const common = { model, metric, count: segment[statistic.per], segment: segment.name };
      const own = estimates[s].value(segment.number);
      if (Number.isNaN(own)) {
        gaps.push({ model, metric, why: whyNone(statistic, segment) });
        continue;
      }
      const interval = intervalIn(segment, own, estimates[s].resampled(segment.number), statistic);
      figures.push({ ...common, value: own, interval: statistic.isBiased ? clip(interval) : interval });
      if (model === baseline || base < 0) continue;
      const value = own - estimates[base].value(segment.number);
      if (Number.isNaN(value)) continue;
      const other = estimates[base].resampled(segment.number);
      const apart = estimates[s].resampled(segment.number).map((one, n) => one - other[n]);
      differences.push({ ...common, baseline, value, interval: intervalIn(segment, value, apart, statistic) });
    }
  }
  return { figures, differences, gaps };
}

function whyNone({ none = 'its numbers are not finite' }: Statistic, { name }: Segment): string {
  return name === '' ? none : `of ${name} ${none}`;
}

/**
 * Of a biased figure the resamples are moved to it: of users who are drawn twice fewer are there, and what that does to a
 * resample, a sample has gone through already (Efron & Tibshirani 1993, ch. 10).
 */
function intervalIn({ users }: Segment, value: number, resampled: Float64Array, { isBiased }: Statistic) {
  if (users < 2) return undefined;
  if (!isBiased) return intervalOf(resampled);
  const known = resampled.filter((one) => !Number.isNaN(one));
  const bias = known.reduce((sum, one) => sum + one, 0) / known.length - value;
  return intervalOf(known.map((one) => one - bias));
}

function clip(interval: Interval | undefined): Interval | undefined {
  return interval && { lower: Math.max(0, interval.lower), upper: Math.min(1, interval.upper) };
}

function divide(observations: Observations): Users {
  const starts = userStarts(observations);
  const count = starts.length - 1;
  const segment = Uint8Array.from({ length: count }, (_, u) => segmentOf(observations.history[starts[u]]));
  return { count, segmentCount: SEGMENTS.length, segment, starts };
}

function segmentOf(history: number): number {
  return SEGMENTS.findLastIndex(({ from }) => history >= from);
}

interface Segment {
  readonly number: number;
  readonly name: string;
  readonly users: number;
  /** How many there are of what a statistic counts. */
  readonly rating: number;
  readonly list: number;
}

/** Those that have users: all first. */
function segmentsOf({ count, segment, starts }: Users): Segment[] {
  const segments = [ALL, ...SEGMENTS.keys()].map((number) => {
    let [users, rating] = [0, 0];
    for (let u = 0; u < count; u++) {
      if (number !== ALL && segment[u] !== number) continue;
      users++;
      rating += starts[u + 1] - starts[u];
    }
    return { number, name: number === ALL ? '' : SEGMENTS[number].name, users, rating, list: users };
  });
  return segments.filter(({ users }) => users > 0);
}
