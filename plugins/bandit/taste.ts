import { type Memory, NO_ROW, type ReadTables } from '../contract/index.ts';
import type { BanditConfig } from './config.ts';
import { type LinearTables, triangle } from './tables.ts';

/** What a user likes beyond what all do: w'v of an item's vector v, and how unsure that is, v' A^-1 v. */
export class Taste {
  readonly #memory: Memory;
  readonly #width: number;
  readonly #ridge: number;
  readonly #columns;
  readonly #weights: Float64Array;
  /** A^-1, with what stands beside the diagonal doubled. */
  readonly #doubled: Float64Array;
  #isKnown = false;
  /** Of the item that was looked at last. */
  mean = 0;
  spread = 0;

  constructor({ width, ridge }: BanditConfig, { users, items }: ReadTables<LinearTables>, memory: Memory) {
    this.#memory = memory;
    this.#width = width;
    this.#ridge = ridge;
    this.#columns = {
      vector: items.column('vector'),
      weights: users.column('weights'),
      inverse: users.column('inverse'),
    };
    this.#weights = new Float64Array(width);
    this.#doubled = new Float64Array(triangle(width));
  }

  /** Whose taste it is from here on. */
  of(user: number): void {
    const { f64: doubles } = this.#memory;
    this.#isKnown = user !== NO_ROW && doubles[this.#columns.inverse(user) >>> 3] > 0;
    if (!this.#isKnown) return;
    const weights = this.#columns.weights(user) >>> 3;
    const inverse = this.#columns.inverse(user) >>> 3;
    for (let a = 0, at = 0; a < this.#width; a++) {
      this.#weights[a] = doubles[weights + a];
      for (let b = 0; b <= a; b++, at++) this.#doubled[at] = doubles[inverse + at] * (b < a ? 2 : 1);
    }
  }

  look(item: number): this {
    // Read once: this is done for every item of a list.
    const { f32: floats } = this.#memory;
    const width = this.#width;
    const weights = this.#weights;
    const doubled = this.#doubled;
    const vector = this.#columns.vector(item) >>> 2;
    let mean = 0;
    let spread = 0;
    for (let a = 0, at = 0; a < width; a++) {
      const value = floats[vector + a];
      let sum = 0;
      if (this.#isKnown) {
        for (let b = 0; b <= a; b++) sum += doubled[at++] * floats[vector + b];
        mean += weights[a] * value;
      } else sum = value / this.#ridge;
      spread += value * sum;
    }
    this.mean = mean;
    this.spread = Math.max(0, spread);
    return this;
  }
}
