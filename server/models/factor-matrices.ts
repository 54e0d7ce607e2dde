import type { Factors, Query } from '../../plugins/contract/index.ts';
import type { Model } from './model.ts';

export interface ItemVectors {
  readonly vectors: Float32Array;
  readonly biases: Float32Array;
}

/** The factors of a model as matrices, row by row, for whoever scores many lists at once. */
export class FactorMatrices {
  readonly width: number;
  readonly #factors: Factors;
  readonly #floats: Float32Array;

  private constructor(factors: Factors, floats: Float32Array) {
    this.width = factors.width;
    this.#factors = factors;
    this.#floats = floats;
  }

  /** Undefined where a model's scores are no products. */
  static of({ scorer, arena }: Model): FactorMatrices | undefined {
    return scorer.factors && new FactorMatrices(scorer.factors, arena.f32);
  }

  /** The vectors of those who have one, and which they are: places in `queries`. */
  copyUsers(queries: readonly Query[]): { readonly vectors: Float32Array; readonly places: readonly number[] } {
    const vectors = new Float32Array(queries.length * this.width);
    const places: number[] = [];
    for (const [place, query] of queries.entries()) {
      const at = this.#factors.ofUser(query);
      if (at === undefined) continue;
      this.#copy(at, vectors, places.length);
      places.push(place);
    }
    return { vectors: vectors.subarray(0, places.length * this.width), places };
  }

  /** For the vectors and biases of so many items. */
  reserve(items: number): ItemVectors {
    return { vectors: new Float32Array(items * this.width), biases: new Float32Array(items) };
  }

  /** Vectors and biases of item rows [from, to), to place `at` of `into`. */
  copyItems(from: number, to: number, { vectors, biases }: ItemVectors, at = 0): void {
    for (let row = from; row < to; row++) {
      const place = at + row - from;
      this.#copy(this.#factors.ofItem(row), vectors, place);
      biases[place] = this.#floats[this.#factors.biasOf(row) >>> 2];
    }
  }

  #copy(at: number, to: Float32Array, row: number): void {
    to.set(this.#floats.subarray(at >>> 2, (at >>> 2) + this.width), row * this.width);
  }
}
