import { Bootstrap, type Interval, type UserSums } from '../evaluation/bootstrap.ts';
import type { Meter } from '../meter.ts';

/** One number for each event of each of two models, and the user of the event: all three of one length. */
export interface PairedScores {
  readonly user: ArrayLike<number>;
  readonly live: ArrayLike<number>;
  readonly candidate: ArrayLike<number>;
}

export interface Estimate {
  readonly value: number;
  /** Undefined when fewer than two users stand behind the value. */
  readonly interval: Interval | undefined;
}

/** What is made of the means of both models. */
export type FigureOf = (live: number, candidate: number) => number;

/** Means over events with intervals by the bootstrap over users, for two models on the same events: users as clusters. */
export class PairedMeans {
  readonly count: number;
  readonly userCount: number;
  readonly live: number;
  readonly candidate: number;
  readonly #bootstrap: Bootstrap | undefined;

  constructor(scores: PairedScores, seed: number, meter: Meter) {
    const sums = sumByUser(scores);
    this.count = scores.user.length;
    this.userCount = sums.userCount;
    this.live = total(sums, LIVE) / this.count;
    this.candidate = total(sums, CANDIDATE) / this.count;
    this.#bootstrap = sums.userCount < 2 ? undefined : new Bootstrap(sums, seed, meter);
  }

  estimate(figure: FigureOf): Estimate {
    const interval = this.#bootstrap?.interval([LIVE, CANDIDATE], ALL, ([live, candidate]) => figure(live, candidate));
    return { value: figure(this.live, this.candidate), interval };
  }
}

const [LIVE, CANDIDATE] = [0, 1];
const SERIES = 2;
/** The one segment, and all of them. */
const [ONLY, ALL] = [0, 1];

function sumByUser({ user, live, candidate }: PairedScores): UserSums {
  const numbers = new Map<number, number>();
  const of = Uint32Array.from(user, (row) => {
    if (!numbers.has(row)) numbers.set(row, numbers.size);
    return numbers.get(row) ?? 0;
  });
  const userCount = numbers.size;
  const observations = new Float64Array(userCount);
  const sums = new Float64Array(SERIES * userCount);
  for (const [n, u] of of.entries()) {
    observations[u]++;
    sums[u * SERIES + LIVE] += live[n];
    sums[u * SERIES + CANDIDATE] += candidate[n];
  }
  const segment = new Uint8Array(userCount).fill(ONLY);
  return { userCount, seriesCount: SERIES, segmentCount: 1, segment, observations, sums };
}

function total({ userCount, sums }: UserSums, series: number): number {
  let sum = 0;
  for (let u = 0; u < userCount; u++) sum += sums[u * SERIES + series];
  return sum;
}
