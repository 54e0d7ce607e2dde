import type { LearnContext, WriteTables } from '../contract/index.ts';
import type { BanditConfig } from './config.ts';
import { Directions } from './directions.ts';
import { type BanditTables, type LinearTables, triangle } from './tables.ts';

type Context = LearnContext<BanditConfig, BanditTables, unknown>;

/** Learns what a user likes by ridge regression; the inverse follows each exposure (Sherman & Morrison 1950). */
export class TasteLearner {
  readonly #context: Context;
  readonly #directions: Directions;
  readonly #columns;
  readonly #gain: Float64Array;

  constructor(context: Context, { users, items }: WriteTables<LinearTables>) {
    const { config, memory, inputs, scratch } = context;
    this.#context = context;
    this.#directions = new Directions(config, inputs[0], memory.f32, scratch);
    this.#columns = {
      vector: items.column('vector'),
      inverse: users.column('inverse'),
      target: users.column('target'),
      weights: users.column('weights'),
    };
    this.#gain = new Float64Array(config.width);
  }

  /** The item's vector becomes as its model has it now. */
  see(item: number): void {
    this.#directions.copy(item, this.#columns.vector(item));
  }

  /** A += weight v v': A^-1 -= weight g g'/(1 + weight v'g), g = A^-1 v. */
  show(user: number, item: number, weight: number): void {
    const { config, memory } = this.#context;
    const { f32: floats, f64: doubles } = memory;
    const gain = this.#gain;
    const vector = this.#columns.vector(item) >>> 2;
    const inverse = this.#columns.inverse(user) >>> 3;
    if (doubles[inverse] === 0) this.#start(inverse);
    this.#multiply(inverse, (a) => floats[vector + a]);
    let spread = 0;
    for (let a = 0; a < config.width; a++) spread += gain[a] * floats[vector + a];
    const share = weight / (1 + weight * Math.max(0, spread));
    for (let a = 0, at = inverse; a < config.width; a++)
      for (let b = 0; b <= a; b++) doubles[at++] -= share * gain[a] * gain[b];
  }

  /** An exposure earned so much more than it earns of all users: b += reward v, w = A^-1 b. */
  earn(user: number, item: number, reward: number): void {
    const { config, memory } = this.#context;
    const { f32: floats, f64: doubles } = memory;
    const vector = this.#columns.vector(item) >>> 2;
    const inverse = this.#columns.inverse(user) >>> 3;
    const target = this.#columns.target(user) >>> 3;
    const weights = this.#columns.weights(user) >>> 3;
    if (doubles[inverse] === 0) return;
    for (let a = 0; a < config.width; a++) doubles[target + a] += reward * floats[vector + a];
    this.#multiply(inverse, (a) => doubles[target + a]);
    for (let a = 0; a < config.width; a++) doubles[weights + a] = this.#gain[a];
  }

  forget(user: number): void {
    const { width } = this.#context.config;
    const { f64: doubles } = this.#context.memory;
    const { inverse, target, weights } = this.#columns;
    for (const [at, count] of [
      [inverse(user), triangle(width)],
      [target(user), width],
      [weights(user), width],
    ])
      doubles.fill(0, at >>> 3, (at >>> 3) + count);
  }

  #start(inverse: number): void {
    const { config, memory } = this.#context;
    for (let a = 0; a < config.width; a++) memory.f64[inverse + triangle(a + 1) - 1] = 1 / config.ridge;
  }

  /** gain = A^-1 x */
  #multiply(inverse: number, x: (a: number) => number): void {
    const { f64: doubles } = this.#context.memory;
    const gain = this.#gain.fill(0);
    for (let a = 0, at = inverse; a < gain.length; a++, at++) {
      for (let b = 0; b < a; b++, at++) {
        gain[a] += doubles[at] * x(b);
        gain[b] += doubles[at] * x(a);
      }
      gain[a] += doubles[at] * x(a);
    }
  }
}
