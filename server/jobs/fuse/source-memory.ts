import { AccreteError } from '../../errors.ts';
import type { Arena } from '../../memory/arena.ts';
import { type Blocks, bytesOf } from '../../models/fusion.ts';

const MIB = 2 ** 20;

/**
 * What a Fuse has outside of arenas, which are bounded by themselves: the matrices of its members, and those that are made of
 * them. Together with the arena in use it stays within `jobs.memoryMiB`.
 */
export class SourceMemory {
  readonly #limitMiB: number;
  #taken = 0;
  #arena: Pick<Arena, 'usedBytes'> | undefined;

  constructor(limitMiB: number) {
    this.#limitMiB = limitMiB;
  }

  /** For the next arena. Throws MEMORY_FULL where nothing is left. */
  get leftMiB(): number {
    const left = Math.floor(this.#limitMiB - this.#taken / MIB);
    if (left >= 1) return left;
    throw this.#full(MIB);
  }

  /** From here on this arena is in use, and those before it are not. */
  beside(arena: Pick<Arena, 'usedBytes'>): void {
    this.#arena = arena;
  }

  /** For matrices that are about to be made. Throws MEMORY_FULL. */
  take(bytes: number): void {
    if (this.#taken + bytes + (this.#arena?.usedBytes ?? 0) > this.#limitMiB * MIB) throw this.#full(bytes);
    this.#taken += bytes;
  }

  /** What is taken meanwhile is given back in the end. */
  async within<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#taken;
    try {
      return await work();
    } finally {
      this.#taken = before;
    }
  }

  /** For as many as these, once more. Throws MEMORY_FULL. */
  takeFor(blocks: Blocks): void {
    this.take([...blocks.values()].reduce((sum, { type, rows, width }) => sum + bytesOf(type, rows, width), 0));
  }

  #full(bytes: number): AccreteError {
    const has = `${Math.ceil((this.#taken + (this.#arena?.usedBytes ?? 0)) / MIB)} MiB`;
    const message =
      `The models of this Fuse take ${has} and ${Math.ceil(bytes / MIB)} MiB more, and jobs.memoryMiB allows ` +
      `${this.#limitMiB} MiB: name fewer sources, or raise it and start again`;
    return new AccreteError('MEMORY_FULL', message, { metadata: { memory_mib: String(this.#limitMiB) } });
  }
}
