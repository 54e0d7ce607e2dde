import type { Bounds } from './bounds.ts';

/**
 * The upper end of a memory, in extents: what is taken there comes back as a whole. What lies lowest is nobody's again as
 * soon as it is free; whatever else is free serves the next who take extents. One thread takes and gives.
 */
export class Extents {
  readonly #bounds: Bounds;
  /** Free stretches in units, the lowest first; no two are neighbours. */
  #free: { readonly first: number; readonly units: number }[] = [];

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Free units that only `take` can give. */
  get freeUnits(): number {
    return this.#free.reduce((sum, { units }) => sum + units, 0);
  }

  /** The first of so many units, or undefined. */
  take(units: number): number | undefined {
    const found = this.#free.findIndex((stretch) => stretch.units >= units);
    if (found < 0) return this.#bounds.takeHigh(units);
    const { first, units: all } = this.#free[found];
    this.#free.splice(found, 1, ...(all > units ? [{ first: first + units, units: all - units }] : []));
    return first;
  }

  has(unit: number): boolean {
    return unit >= this.#bounds.high;
  }

  give(first: number, units: number): void {
    const stretches = [...this.#free, { first, units }].sort((a, b) => a.first - b.first);
    this.#free = [];
    for (const stretch of stretches) {
      const last = this.#free.at(-1);
      if (last && last.first + last.units === stretch.first)
        this.#free.splice(-1, 1, { first: last.first, units: last.units + stretch.units });
      else this.#free.push(stretch);
    }
    const [lowest] = this.#free;
    if (lowest.first !== this.#bounds.high) return;
    this.#free.shift();
    this.#bounds.giveHigh(lowest.units);
  }
}
