import type { Slices } from './slices.ts';

/** Finds the owner of a point among disjoint slices: their bounds in order, looked up by halving. */
export class Owners {
  readonly #froms: Float64Array;
  readonly #tos: Float64Array;
  readonly #owners: Uint16Array;

  /** `owned`: by owner. */
  constructor(owned: readonly Slices[]) {
    const all = owned
      .flatMap((slices, owner) => slices.map(([from, to]) => ({ from, to, owner })))
      .sort((a, b) => a.from - b.from);
    this.#froms = Float64Array.from(all, ({ from }) => from);
    this.#tos = Float64Array.from(all, ({ to }) => to);
    this.#owners = Uint16Array.from(all, ({ owner }) => owner);
  }

  /** The number of the owner; -1: nobody. */
  find(point: number): number {
    let low = 0;
    let high = this.#froms.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#froms[middle] <= point) low = middle + 1;
      else high = middle;
    }
    return low > 0 && point < this.#tos[low - 1] ? this.#owners[low - 1] : -1;
  }
}
