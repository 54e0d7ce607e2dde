import type { Address, Memory, WritableAddress } from '../../contract/index.ts';
import { factorise, solve } from '../cholesky.ts';
import type { MfKernels } from '../kernels.ts';

/**
 * The vector p that minimises what positives (vectors q_n, weights w_n) and all pairs say:
 *
 *     sum_n w_n (1 - <p, q_n>)² + c p' S p + l2 |p|²        A = c S + sum_n w_n q_n q_n' + l2 I,  b = sum_n w_n q_n,  A p = b
 */
export class RowSolver {
  /** b, and then p. */
  readonly solution: Float64Array;
  readonly #k: number;
  readonly #kernels: MfKernels;
  readonly #memory: Memory;
  readonly #matrix: WritableAddress;
  readonly #factor: Float64Array;
  #least = 0;

  constructor(k: number, kernels: MfKernels, memory: Memory, scratch: (bytes: number) => WritableAddress) {
    this.#k = k;
    this.#kernels = kernels;
    this.#memory = memory;
    this.#matrix = scratch(8 * k * k);
    this.#factor = new Float64Array(k * k);
    this.solution = new Float64Array(k);
  }

  begin(gram: Address, c: number, l2: number): void {
    this.#kernels.ridge(this.#matrix, gram, this.#k, c, l2);
    this.#least = l2;
    this.solution.fill(0);
  }

  add(vector: Address, weight: number): void {
    this.#kernels.addOuter(this.#matrix, vector, this.#k, weight, true);
    const from = vector >>> 2;
    for (let f = 0; f < this.#k; f++) this.solution[f] += weight * this.#memory.f32[from + f];
  }

  solve(): void {
    const from = this.#matrix >>> 3;
    const { f64: doubles } = this.#memory;
    for (let n = 0; n < this.#factor.length; n++) this.#factor[n] = doubles[from + n];
    factorise(this.#factor, this.#k, this.#least);
    this.invert(this.solution);
  }

  /** Overwrites b with A^-1 b, after `solve`. */
  invert(b: Float64Array): void {
    solve(this.#factor, this.#k, b);
  }
}
