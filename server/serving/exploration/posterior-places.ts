import assert from 'node:assert';
import { loadKernels } from '../../memory/kernels/host-kernels.ts';

/** The most items that a list is drawn from (of 100 places: `lottery.ts`), and values that each has. */
export const ITEMS_MAX = 400;
const LEVELS_MAX = 16;

/**
 * The chance that an item gets a place when every item draws one of its L values, all as likely, and the best come first.
 *
 * Place k (from 0) is got with a value x when exactly k others draw more: of independent chances q_j, the k-th coefficient of
 * prod_j ((1 - q_j) + q_j s). Of equal values a lot decides, uniform over 0..1: with a lot t, q_j = (more_j + (1 - t) equal_j)/L,
 * and the mean over t is taken by Gauss & Legendre's nodes. These are exact for up to 2 n - 1 items with the same value; more
 * nodes are taken the more equal values there are, which leaves errors far below what counts could show. `kernels.as.ts` has
 * the sums.
 */
export class PosteriorPlaces {
  readonly #levels: number;
  readonly #groupOf: Uint32Array;
  /** Items with the same values count together: their values, group after group, and how many there are. */
  readonly #values: Float64Array;
  readonly #sizes: Float64Array;
  #groups = 0;

  /** `values`: of item after item, each in rising order; `levels`: how many each has. */
  constructor(values: Float64Array, levels: number) {
    const items = values.length / levels;
    assert.ok(items <= ITEMS_MAX && levels <= LEVELS_MAX, 'there is no room for so many');
    this.#levels = levels;
    this.#groupOf = new Uint32Array(items);
    this.#values = new Float64Array(values.length);
    this.#sizes = new Float64Array(items);
    for (let item = 0; item < items; item++) this.#join(item, values);
  }

  /** Of an item at a place, both from 0. */
  of(item: number, place: number): number {
    bench ??= new Bench();
    return bench.chance(this.#values, this.#sizes, this.#groups, this.#levels, this.#groupOf[item], place);
  }

  #join(item: number, values: Float64Array): void {
    const levels = this.#levels;
    const from = item * levels;
    let group = 0;
    while (group < this.#groups && !this.#isAlike(group, values, from)) group++;
    if (group === this.#groups) {
      this.#groups++;
      for (let level = 0; level < levels; level++) this.#values[group * levels + level] = values[from + level];
    }
    this.#groupOf[item] = group;
    this.#sizes[group]++;
  }

  #isAlike(group: number, values: Float64Array, from: number): boolean {
    const levels = this.#levels;
    for (let level = levels - 1; level >= 0; level--)
      if (this.#values[group * levels + level] !== values[from + level]) return false;
    return true;
  }
}

interface ChanceKernels {
  chance(
    values: number,
    sizes: number,
    groups: number,
    levels: number,
    own: number,
    place: number,
    rules: number,
    work: number,
  ): number;
}

const PAGE_BYTES = 65_536;
/** Weights and nodes over 0..1, by how many nodes there are. */
const RULES = [2, 4, 6, 8, 12, 16, 24, 32].map(gaussLegendre);
/** In a memory of its own, in doubles. */
const VALUES = 8;
const SIZES = VALUES + ITEMS_MAX * LEVELS_MAX;
const NODES = SIZES + ITEMS_MAX;
const WORK = NODES + 1 + RULES.reduce((sum, { nodes }) => sum + 1 + 2 * nodes.length, 0);
/** With the sums, and the items' shares, chances, counts and ends. */
const END = WORK + 4 + ITEMS_MAX * (4 + 2 + 4 + 1);

class Bench {
  readonly #doubles: Float64Array;
  readonly #kernels: ChanceKernels;

  constructor() {
    const pages = Math.ceil((8 * END) / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#doubles = new Float64Array(memory.buffer);
    this.#kernels = loadKernels(new URL('./kernels.wasm', import.meta.url), memory);
    let at = NODES;
    for (const { nodes, weights } of RULES) {
      this.#doubles.set([nodes.length, ...nodes, ...weights], at);
      at += 1 + 2 * nodes.length;
    }
  }

  chance(
    values: Float64Array,
    sizes: Float64Array,
    groups: number,
    levels: number,
    own: number,
    place: number,
  ): number {
    this.#doubles.set(values, VALUES);
    this.#doubles.set(sizes, SIZES);
    return this.#kernels.chance(8 * VALUES, 8 * SIZES, groups, levels, own, place, 8 * NODES, 8 * WORK);
  }
}

/** Made when something is drawn first. */
let bench: Bench | undefined;

/** Newton's method on Legendre's polynomials. */
function gaussLegendre(count: number): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  const nodes = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    let x = Math.cos((Math.PI * (n + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 50; step++) {
      let [before, value] = [1, x];
      for (let k = 2; k <= count; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
      slope = (count * (x * value - before)) / (x * x - 1);
      x -= value / slope;
    }
    nodes[n] = (1 + x) / 2;
    weights[n] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}
