import { boundsOf, CONFIDENCE } from '../boundary.ts';
import { differenceOf } from '../figures.ts';
import { Moments, type UnitSums } from '../moments.ts';
import { Draws } from './draws.ts';

/** Users who come back, some much more often than others, and whose tastes last. */
export interface Crowd {
  /** Who is there from the beginning. */
  readonly cohort: number;
  /** The chance that an event is of somebody new. */
  readonly newShare: number;
  /** How unevenly they come: the deviation of its logarithm; where `heavy`, a tail of the power 1.2. */
  readonly activity: number;
  readonly heavy: boolean;
  /** Of arm 1. */
  readonly share: number;
}

export interface Course {
  readonly runs: number;
  readonly events: number;
  /** Events between two looks. */
  readonly every: number;
  readonly seed: number;
}

const ACTIVITY_MAX = 300;

/** Experiments in which arms do nothing: how many find something at one look at least. */
export function falsePositives(crowd: Crowd, { runs, events, every, seed }: Course) {
  const draws = new Draws(seed);
  let found = 0;
  for (let run = 0; run < runs; run++) {
    const trial = new Trial(crowd, draws);
    let isFound = false;
    for (let n = 1; n <= events && !isFound; n++) {
      trial.step();
      if (n % every === 0) isFound = trial.finds();
    }
    if (isFound) found++;
  }
  return { runs, found };
}

interface User {
  readonly arm: 0 | 1;
  readonly activity: number;
  readonly taste: number;
  sums: UnitSums | undefined;
}

class Trial {
  readonly #crowd: Crowd;
  readonly #draws: Draws;
  readonly #users: User[] = [];
  readonly #arms = [0, 1].map(() => ({ moments: new Moments(), events: { count: 0, sum: 0, squares: 0 } }));
  #mostActive = 0;

  constructor(crowd: Crowd, draws: Draws) {
    this.#crowd = crowd;
    this.#draws = draws;
    for (let n = 0; n < crowd.cohort; n++) this.#meet();
  }

  step(): void {
    const user = this.#draws.uniform() < this.#crowd.newShare ? this.#meet() : this.#meetAgain();
    const { moments, events } = this.#arms[user.arm];
    const { sums } = user;
    const after = this.#next(user);
    if (sums) moments.remove(sums);
    moments.add(after);
    user.sums = after;
    const value = after.sum - (sums?.sum ?? 0);
    events.count++;
    events.sum += value;
    events.squares += value * value;
  }

  finds(): boolean {
    const difference = differenceOf(this.#arms[1], this.#arms[0]);
    const bounds = difference && boundsOf(difference, CONFIDENCE);
    return bounds !== undefined && (bounds.lower > 0 || bounds.upper < 0);
  }

  #next({ sums = { sum: 0, count: 0, sumBefore: 0, countBefore: 0 }, taste }: User): UnitSums {
    const value = Math.exp(0.5 * taste + this.#draws.normal());
    return { ...sums, sum: sums.sum + value, count: sums.count + 1 };
  }

  #meet(): User {
    const { share, activity: spread, heavy } = this.#crowd;
    const draws = this.#draws;
    const activity = heavy ? draws.pareto(1.2, ACTIVITY_MAX) : Math.exp(spread * draws.normal());
    const user: User = { arm: draws.uniform() < share ? 1 : 0, activity, taste: draws.normal(), sums: undefined };
    this.#users.push(user);
    this.#mostActive = Math.max(this.#mostActive, activity);
    return user;
  }

  #meetAgain(): User {
    for (;;) {
      const user = this.#users[this.#draws.below(this.#users.length)];
      if (this.#draws.uniform() * this.#mostActive < user.activity) return user;
    }
  }
}
