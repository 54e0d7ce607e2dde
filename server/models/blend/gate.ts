import { f64, type TableSpec } from '../../../plugins/contract/index.ts';

/**
 * How much each member is to be believed: recursive least squares with forgetting (Plackett 1950) on what they expect,
 *
 *     r^ = 3.5 + W x,     x = (p_0 - 3.5, p_1 - p_0, ..., 1)
 *
 * and beside it the mean squared error of each member and of this, of late. Where a member was better than that, it answers.
 * At first all members count alike.
 */

export const GATE_VERSION = 1;
const MIDDLE = 3.5;
/** The variances that it starts with, of what members expect and of the rest. */
const START = { ofMembers: 0.1, ofRest: 0.02 };
/** While the variances add up to more, nothing is forgotten: they would grow without bounds along what no event shows. */
const TRACE_MAX = 100;
/** Errors count by how lately they were made: so much of one is left after the next. */
const LATELY = 0.999;

export function gateTable(members: number) {
  const n = members + 1;
  return {
    index: 'model',
    columns: {
      /** Ratings learned. */
      events: f64(),
      weights: f64(n),
      covariance: f64(n * n),
      /** Of each member, and of the regression. */
      errors: f64(n),
    },
  } as const satisfies TableSpec;
}

/** Reads and, where `f64` may be written, teaches a gate. */
export class Gate {
  readonly #f64: Float64Array;
  readonly #members: number;
  readonly #at: Readonly<Record<'events' | 'weights' | 'covariance' | 'errors', number>>;
  readonly #x: Float64Array;
  readonly #gain: Float64Array;
  /** What each member expects; to be set before anything is asked. */
  readonly expected: Float64Array;

  constructor(doubles: Float64Array, column: (name: string) => number, members: number) {
    this.#f64 = doubles;
    this.#members = members;
    const at = (name: string) => column(name) >>> 3;
    this.#at = { events: at('events'), weights: at('weights'), covariance: at('covariance'), errors: at('errors') };
    this.#x = new Float64Array(members + 1);
    this.#gain = new Float64Array(members + 1);
    this.expected = new Float64Array(members);
  }

  /** What is expected. */
  predict(): number {
    this.#gather();
    if (this.#f64[this.#at.events] === 0) return mean(this.expected);
    const best = this.#best();
    return best === this.#members ? clip(MIDDLE + this.#regress()) : this.expected[best];
  }

  /** Learns from a rating. */
  learn(value: number, weight: number, forgetting: number): void {
    this.#gather();
    const { events } = this.#at;
    if (this.#f64[events] === 0) this.#start();
    const expected = MIDDLE + this.#regress();
    const part = (1 - LATELY) * Math.min(1, weight);
    for (let m = 0; m <= this.#members; m++) {
      const error = value - (m === this.#members ? clip(expected) : this.expected[m]);
      const at = this.#at.errors + m;
      this.#f64[at] += part * (error * error - this.#f64[at]);
    }
    this.#regressOn(value - expected, weight, forgetting);
    this.#f64[events]++;
  }

  /** Who was best of late; `#members`: the regression, also where it was as good. */
  #best(): number {
    let best = this.#members;
    for (let m = 0; m < this.#members; m++)
      if (this.#f64[this.#at.errors + m] < this.#f64[this.#at.errors + best]) best = m;
    return best;
  }

  #gather(): void {
    const { expected } = this;
    for (let m = 0; m < this.#members; m++) expected[m] = clip(expected[m]);
    this.#x[0] = expected[0] - MIDDLE;
    for (let m = 1; m < this.#members; m++) this.#x[m] = expected[m] - expected[0];
    this.#x[this.#members] = 1;
  }

  #regress(): number {
    let sum = 0;
    for (let j = 0; j <= this.#members; j++) sum += this.#f64[this.#at.weights + j] * this.#x[j];
    return sum;
  }

  #start(): void {
    const n = this.#members + 1;
    const { weights, covariance } = this.#at;
    for (let j = 0; j < n; j++) {
      this.#f64[covariance + j * n + j] = j < this.#members ? START.ofMembers : START.ofRest;
      this.#f64[weights + j] = j === 0 ? 1 : j < this.#members ? 1 / this.#members : 0;
    }
  }

  /** P stays symmetric to the bit: P[i][j] and P[j][i] come of the same numbers. */
  #regressOn(error: number, weight: number, forgetting: number): void {
    const n = this.#members + 1;
    const p = this.#at.covariance;
    const [x, g] = [this.#x, this.#gain];
    let trace = 0;
    for (let j = 0; j < n; j++) trace += this.#f64[p + j * n + j];
    const keep = trace > TRACE_MAX ? 1 : forgetting;
    let s = keep;
    for (let i = 0; i < n; i++) {
      g[i] = 0;
      for (let j = 0; j < n; j++) g[i] += this.#f64[p + i * n + j] * x[j];
      s += weight * g[i] * x[i];
    }
    for (let i = 0; i < n; i++) this.#f64[this.#at.weights + i] += (g[i] * weight * error) / s;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const at = p + i * n + j;
        this.#f64[at] = (this.#f64[at] - (weight * (g[i] * g[j])) / s) / keep;
      }
  }
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function clip(value: number): number {
  return Math.min(5, Math.max(1, value));
}
