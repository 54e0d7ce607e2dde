import { Random } from '../../../plugins/contract/index.ts';
import { type Course, refitted, retrained, type Subject } from './courses.ts';
import { type Drawn, draw, type Period, periodsOf } from './periods.ts';

/** One way to keep a model fresh, with one T. */
export type Way = 'REFIT beside online' | 'retraining alone';
export const WAYS: readonly Way[] = ['REFIT beside online', 'retraining alone'];

export interface Plan {
  readonly way: Way;
  /** T, in words. */
  readonly every: string;
  readonly periods: readonly Period[];
  readonly drawn: readonly Drawn[];
}

export function planOf(subject: Subject, way: Way, every: string, seconds: number, most: number): Plan {
  const periods = periodsOf(subject.ratings, seconds);
  return { way, every, periods, drawn: draw(periods, most) };
}

export interface Kept {
  readonly way: Way | 'online';
  readonly every: string;
  readonly rmse: number;
  /** RMSE less that of online learning: 95%, by a bootstrap over the periods that were drawn; undefined where all were measured. */
  readonly interval: readonly [number, number] | undefined;
  /** Seconds of the processor for the whole stream. */
  readonly cpu: number;
  /** How often the model is made anew, and for how many of these it was. */
  readonly fits: number;
  readonly measured: number;
}

/**
 * Where periods are drawn, the refit that counts comes after so many before it, and these after online learning alone: a refit
 * keeps little of the vectors that it begins with.
 */
const WARM = 1;

/**
 * What a plan comes to over all ratings: what it misses more than online learning does in the periods that were measured,
 * added to what online learning misses over all. A fit takes time with the ratings that it learns, so that of all is
 * what those that were measured took by rating, times the ratings of all.
 */
export async function keepFresh(
  subject: Subject,
  alone: Course,
  { way, every, periods, drawn }: Plan,
  onPeriod: () => void,
): Promise<Kept> {
  const mean = (squares: Float64Array) => squares.reduce((sum, square) => sum + square, 0) / squares.length;
  const more: { readonly share: number; readonly by: number }[] = [];
  let [cpu, learned] = [0, 0];
  const isWhole = drawn.length === periods.length;
  const chain = way === 'retraining alone' || !isWhole ? undefined : refitted(subject, periods);
  for (const { place, share } of drawn) {
    const period = periods[place];
    const course = await (chain
      ? nextOf(chain)
      : way === 'retraining alone'
        ? retrained(subject, period)
        : lastOf(refitted(subject, periods.slice(Math.max(0, place - WARM), place + 1))));
    more.push({ share, by: mean(course.squared) - mean(alone.squared.subarray(period.from, period.to)) });
    cpu += course.cpu;
    learned += period.from;
    onPeriod();
  }
  const all = periods.reduce((sum, { from }) => sum + from, 0);
  const own = learned === 0 ? cpu : (cpu * all) / learned;
  const base = mean(alone.squared);
  const rmseWith = (extra: number) => Math.sqrt(base + extra);
  const rmse = rmseWith(more.reduce((sum, { share, by }) => sum + share * by, 0));
  const interval = isWhole ? undefined : spreadOf(more, (extra) => rmseWith(extra) - rmseWith(0));
  const beside = way === 'retraining alone' ? 0 : alone.cpu;
  return { way, every, rmse, interval, cpu: beside + own, fits: periods.length - 1, measured: drawn.length };
}

const RESAMPLES = 1000;
const SEED = 1;

/** What a figure of the mean spreads over when the periods are drawn again: 95%. */
function spreadOf(
  drawn: readonly { readonly share: number; readonly by: number }[],
  figure: (mean: number) => number,
): readonly [number, number] {
  const random = new Random();
  random.key(SEED, 0);
  const found = Float64Array.from({ length: RESAMPLES }, () => {
    let [sum, share] = [0, 0];
    for (let n = 0; n < drawn.length; n++) {
      const one = drawn[random.below(drawn.length)];
      sum += one.share * one.by;
      share += one.share;
    }
    return figure(sum / share);
  }).sort();
  return [found[Math.floor(0.025 * RESAMPLES)], found[Math.ceil(0.975 * RESAMPLES) - 1]];
}

async function nextOf(courses: AsyncGenerator<Course>): Promise<Course> {
  const { value, done } = await courses.next();
  if (done) throw new Error('there are fewer courses than periods');
  return value;
}

async function lastOf(courses: AsyncGenerator<Course>): Promise<Course> {
  let last: Course | undefined;
  for await (const course of courses) last = course;
  if (!last) throw new Error('there is no period');
  return last;
}
