import { Owners } from '../../server/allocation/owners.ts';
import { pointOf } from '../../server/allocation/point.ts';
import { divide, type Slices } from '../../server/allocation/slices.ts';
import { boundsOf, type Confidence, type Estimate } from '../../server/experiments/statistics/boundary.ts';
import { type ArmSums, differenceOf } from '../../server/experiments/statistics/figures.ts';
import { Moments, type UnitSums } from '../../server/experiments/statistics/moments.ts';
import type { Draws } from '../../server/experiments/statistics/testing/draws.ts';
import type { Measured, Population } from './population.ts';

/** How an experiment goes. */
export interface Course {
  readonly population: Population;
  /** Of control and arm. */
  readonly weights: readonly [number, number];
  /** By metric; 0: the arms are alike. */
  readonly lifts: readonly number[];
  /** How many others have an event, on average, between two of one user: they come and go side by side. */
  readonly crowd: number;
}

interface Visitor {
  readonly arm: number;
  readonly events: readonly Float64Array[];
  next: number;
  /** By metric. */
  readonly sums: (UnitSums | undefined)[];
}

const NOTHING: UnitSums = { sum: 0, count: 0, sumBefore: 0, countBefore: 0 };

/**
 * One experiment: users arrive, are assigned by the server's own allocation, and have the events of a real user each, one
 * among those of others who are there at the time.
 */
export class Trial {
  readonly #course: Course;
  readonly #draws: Draws;
  readonly #salt: string;
  readonly #owners: Owners;
  readonly #here: Visitor[] = [];
  readonly #arms: { readonly moments: Moments; readonly events: { count: number; sum: number; squares: number } }[][];
  units = 0;
  events = 0;

  constructor(course: Course, draws: Draws, salt: string) {
    this.#course = course;
    this.#draws = draws;
    this.#salt = salt;
    this.#owners = new Owners(cutBy(course.weights));
    this.#arms = course.population.metrics.map(() =>
      [0, 1].map(() => ({ moments: new Moments(), events: { count: 0, sum: 0, squares: 0 } })),
    );
  }

  /** Events until so many more have been. */
  run(events: number): void {
    for (let n = 0; n < events; n++) this.#step();
  }

  difference(metric: number): Estimate | undefined {
    const { kind } = this.#course.population.metrics[metric];
    return differenceOf(kind, this.armOf(metric, 1), this.armOf(metric, 0));
  }

  armOf(metric: number, arm: number): ArmSums {
    return this.#arms[metric][arm];
  }

  /** What would be said now: 1 that the arm's figure is higher, -1 lower, 0 nothing. */
  verdict(metric: number, confidence: Confidence): number {
    const difference = this.difference(metric);
    const bounds = difference && boundsOf(difference, confidence);
    if (!bounds) return 0;
    return bounds.lower > 0 ? 1 : bounds.upper < 0 ? -1 : 0;
  }

  #step(): void {
    while (this.#here.length < this.#course.crowd) this.#here.push(this.#arrive());
    const place = this.#draws.below(this.#here.length);
    const visitor = this.#here[place];
    const worths = visitor.events[visitor.next++];
    for (const [metric, worth] of worths.entries()) this.#note(visitor, metric, worth);
    this.events++;
    if (visitor.next === visitor.events.length) {
      this.#here[place] = this.#here[this.#here.length - 1];
      this.#here.pop();
    }
  }

  #arrive(): Visitor {
    const { users, metrics } = this.#course.population;
    const unit = `user-${this.units++}`;
    const arm = this.#owners.find(pointOf(this.#salt, unit));
    return { arm, events: users[this.#draws.below(users.length)], next: 0, sums: metrics.map(() => undefined) };
  }

  #note(visitor: Visitor, metric: number, worth: number): void {
    const { population, lifts } = this.#course;
    const { kind, lifted }: Measured = population.metrics[metric];
    const { arm, sums } = visitor;
    const own = arm === 1 && lifts[metric] !== 0 ? lifted(worth, lifts[metric], this.#draws) : worth;
    const { moments, events } = this.#arms[metric][arm];
    const before = sums[metric];
    const { sum, count } = before ?? NOTHING;
    const after: UnitSums = {
      ...NOTHING,
      sum: kind === 'share' ? Math.max(sum, own) : sum + own,
      count: kind === 'mean' ? count + 1 : 1,
    };
    sums[metric] = after;
    if (before && before.sum === after.sum && before.count === after.count) return;
    if (before) moments.remove(before);
    moments.add(after);
    if (kind === 'total' && own === 0) return;
    events.count++;
    events.sum += own;
    events.squares += own * own;
  }
}

function cutBy(weights: readonly number[]): Slices[] {
  let from = 0;
  return divide(weights).map((size) => {
    const slice = [from, from + size] as const;
    from += size;
    return [slice];
  });
}
