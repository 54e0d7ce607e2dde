import { Random } from '../../../plugins/contract/index.ts';

/**
 * Items that a held-out one is ranked among: `count` that the user has not rated, drawn without repetition, all equally
 * likely; the NCF protocol (He et al. 2017). All of them when there are no more than that. What is drawn is a function
 * of the seed and the user alone, so every model is asked of the same.
 */
export class Negatives {
  readonly #seed: number;
  readonly #count: number;
  readonly #random = new Random();

  constructor(seed: number, count: number) {
    this.#seed = seed;
    this.#count = count;
  }

  /** Item rows below `items`, none of `without`, ascending. */
  draw(user: number, items: number, without: ReadonlySet<number>): Uint32Array {
    this.#random.key(this.#seed, user + 1);
    const left = items - without.size;
    const rows = left > 2 * this.#count ? this.#byChance(items, without) : this.#ofList(items, without);
    return rows.sort();
  }

  /** At least half of the tries finds one, where few items are rated; where most are, the list is shorter work. */
  #byChance(items: number, without: ReadonlySet<number>): Uint32Array {
    if (without.size > items / 2) return this.#ofList(items, without);
    const drawn = new Set<number>();
    while (drawn.size < this.#count) {
      const row = this.#random.below(items);
      if (!without.has(row)) drawn.add(row);
    }
    return Uint32Array.from(drawn);
  }

  #ofList(items: number, without: ReadonlySet<number>): Uint32Array {
    const rows: number[] = [];
    for (let row = 0; row < items; row++) if (!without.has(row)) rows.push(row);
    const count = Math.min(this.#count, rows.length);
    for (let n = 0; n < count; n++) {
      const other = n + this.#random.below(rows.length - n);
      [rows[n], rows[other]] = [rows[other], rows[n]];
    }
    return Uint32Array.from(rows.slice(0, count));
  }
}
