import type { ItemVectors } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import type { HostKernels } from '../memory/kernels/host-kernels.ts';
import { Scratch } from '../memory/scratch.ts';
import type { Ranked } from './ranking.ts';

/**
 * Lists whose items differ: maximal marginal relevance (Carbonell & Goldstein 1998). From a pool of the best candidates,
 * one after the other is taken whose
 *
 *   (1 - d) relevance(i) - d max over the items j taken before of cosine(v_i, v_j)
 *
 * is largest; relevance is the score, scaled to 0..1 over the pool; d is the diversity, 0..1. Of equal ones, the one of the
 * better score is taken. The first is always the best of all. An item whose vector is all zeros is like no other.
 *
 * It costs pool x count dot products of `width` numbers, and the pool's vectors once in scratch memory. With five times
 * as many candidates as places, what is passed over still belongs to the best; fewer than 100 leave a short list little
 * choice, and more than 1,000 would cost milliseconds: a list of 1,000 does.
 */

const POOL_FACTOR = 5;
const POOL_MIN = 100;
const POOL_MAX = 1000;
/** Below every cosine. */
const NOTHING_TAKEN = -2;

/** How many of the best candidates a list of `count` is chosen from; never fewer than `count`. */
export function poolSize(count: number): number {
  return Math.max(count, Math.min(POOL_MAX, Math.max(POOL_MIN, POOL_FACTOR * count)));
}

export class Diversity {
  readonly #arena: Arena;
  readonly #kernels: HostKernels;
  readonly #scratch: Scratch;

  constructor(arena: Arena, kernels: HostKernels) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#scratch = new Scratch(arena);
  }

  /** Gives its scratch memory back. */
  release(): void {
    this.#scratch.release();
  }

  /**
   * The `count` of the pool, which has its best first and finite scores, in the order in which they are taken.
   * `diversity`: 0..1; with 0 they are the first ones. Items from row `items` on have no vector yet. Inside `Reader.run`.
   */
  choose(pool: readonly Ranked[], count: number, diversity: number, vectors: ItemVectors, items: number): Ranked[] {
    if (diversity === 0 || pool.length === 0) return pool.slice(0, count);
    const { width } = vectors;
    const maxima = this.#place(pool, vectors, items);
    const likeness = this.#arena.f32.subarray(maxima >>> 2, (maxima >>> 2) + pool.length);
    const relevance = relevanceOf(pool, 1 - diversity);
    const chosen = [0];
    relevance[0] = Number.NEGATIVE_INFINITY;
    while (chosen.length < Math.min(count, pool.length)) {
      const last = vectorAt(maxima, pool.length, width, chosen[chosen.length - 1]);
      this.#kernels.raiseToDots(last, vectorAt(maxima, pool.length, width, 0), width, pool.length, maxima);
      const next = indexOfBest(relevance, likeness, diversity);
      relevance[next] = Number.NEGATIVE_INFINITY;
      chosen.push(next);
    }
    return chosen.slice(0, count).map((n) => pool[n]);
  }

  /** In scratch memory, for each of the pool: its likeness to what was taken; then the vectors, each of length 1. */
  #place(pool: readonly Ranked[], { width, of }: ItemVectors, items: number): number {
    const maxima = this.#scratch.reserve(4 * pool.length * (1 + width));
    this.#arena.f32.fill(NOTHING_TAKEN, maxima >>> 2, (maxima >>> 2) + pool.length);
    for (const [n, { row }] of pool.entries()) {
      const vector = vectorAt(maxima, pool.length, width, n);
      if (row < items) this.#kernels.normalize(of(row), width, vector);
      else this.#arena.f32.fill(0, vector >>> 2, (vector >>> 2) + width);
    }
    return maxima;
  }
}

function vectorAt(maxima: number, pool: number, width: number, n: number): number {
  return maxima + 4 * (pool + width * n);
}

/** Scores scaled to 0..`weight`; all 0 when they are equal. */
function relevanceOf(pool: readonly Ranked[], weight: number): Float64Array {
  const best = pool[0].score;
  const worst = pool[pool.length - 1].score;
  const scale = best > worst ? weight / (best - worst) : 0;
  return Float64Array.from(pool, ({ score }) => (score - worst) * scale);
}

function indexOfBest(relevance: Float64Array, likeness: Float32Array, diversity: number): number {
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let n = 0; n < relevance.length; n++) {
    const value = relevance[n] - diversity * likeness[n];
    if (value <= most) continue;
    most = value;
    best = n;
  }
  return best;
}
