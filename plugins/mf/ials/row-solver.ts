import type { Address, WritableAddress } from '../../contract/index.ts';
import type { MfKernels } from '../kernels.ts';

/** Positives that are added at a time. */
const CHUNK = 64;
/** Of which `addAll` takes so many at once. */
const BLOCK = 4;

/**
 * The vector p that minimises what positives (vectors q_n, weights w_n) and all pairs say:
 *
 *     sum_n w_n (1 - <p, q_n>)² + c p' S p + l2 |p|²        A = c S + sum_n w_n q_n q_n' + l2 I,  b = sum_n w_n q_n,  A p = b
 */
export class RowSolver {
  readonly #k: number;
  readonly #kernels: MfKernels;
  readonly #matrix: WritableAddress;
  /** b, and then p. */
  readonly #solution: WritableAddress;
  /** Of what is to be added: addresses of vectors, weights, and room for the kernel. */
  readonly #vectors: WritableAddress;
  readonly #weights: WritableAddress;
  readonly #block: WritableAddress;
  #count = 0;
  #least = 0;

  constructor(k: number, kernels: MfKernels, scratch: (bytes: number) => WritableAddress) {
    this.#k = k;
    this.#kernels = kernels;
    this.#matrix = scratch(8 * k * k);
    this.#solution = scratch(8 * k);
    this.#vectors = scratch(4 * CHUNK);
    this.#weights = scratch(8 * CHUNK);
    this.#block = scratch(8 * BLOCK * k);
  }

  begin(gram: Address, c: number, l2: number): void {
    this.#kernels.ridge(this.#matrix, this.#solution, gram, this.#k, c, l2);
    this.#least = l2;
    this.#count = 0;
  }

  add(vector: Address, weight: number): void {
    this.#kernels.list(this.#vectors, this.#weights, this.#count++, vector, weight);
    if (this.#count === CHUNK) this.#flush();
  }

  /** Where p is, k f64. */
  solve(): Address {
    this.#flush();
    this.#kernels.factorise(this.#matrix, this.#k, this.#least);
    this.invert(this.#solution);
    return this.#solution;
  }

  /** Overwrites b, k f64, with A^-1 b, after `solve`. */
  invert(b: WritableAddress): void {
    this.#kernels.substitute(this.#matrix, this.#k, b);
  }

  #flush(): void {
    const { addAll } = this.#kernels;
    addAll(this.#matrix, this.#solution, this.#vectors, this.#weights, this.#count, this.#k, this.#block);
    this.#count = 0;
  }
}
