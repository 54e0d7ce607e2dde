import type { WritableMemory, WriteTables } from '../contract/index.ts';
import type { MfTables } from './tables.ts';

/** The items that were ever rated, in the order in which that began. Drawn from these, nothing depends on which have rows. */
export class Listed {
  readonly #memory: WritableMemory;
  readonly #touch: ((table: 'rated', row: number) => void) | undefined;
  readonly #itemAt: (place: number) => number;
  readonly #isListed: (item: number) => number;
  /** Where their number is. */
  readonly #count: number;

  constructor(
    { rated, counters }: Pick<WriteTables<MfTables>, 'rated' | 'counters'>,
    memory: WritableMemory,
    touch?: (table: 'rated', row: number) => void,
  ) {
    this.#memory = memory;
    this.#touch = touch;
    this.#itemAt = rated.column('item');
    this.#isListed = rated.column('isListed');
    this.#count = counters.column('rated')(0) >>> 2;
  }

  get count(): number {
    return this.#memory.u32[this.#count];
  }

  at(place: number): number {
    return this.#memory.u32[this.#itemAt(place) >>> 2];
  }

  /** Puts an item among them; returns how many there are. */
  add(item: number): number {
    const { u32: words } = this.#memory;
    const isListed = this.#isListed(item) >>> 2;
    if (words[isListed] === 1) return words[this.#count];
    words[isListed] = 1;
    const place = words[this.#count]++;
    this.#touch?.('rated', place);
    words[this.#itemAt(place) >>> 2] = item;
    return words[this.#count];
  }
}
