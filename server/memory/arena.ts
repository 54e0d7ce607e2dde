import assert from 'node:assert/strict';
import { AccreteError } from '../errors.ts';
import { Bounds } from './bounds.ts';
import { Extents } from './extents.ts';
import { FreeBlocks } from './free-blocks.ts';
import { UndoLog } from './undo-log.ts';

/**
 * One shared memory for all threads: allocated at its budget from the start, never grown. Untouched pages cost nothing.
 * Any thread may allocate. Large blocks that are freed are for all threads; small ones for the thread that freed them.
 */

const PAGE_BYTES = 65_536;
const MAGIC = 0x4163_6372;
/**
 * The first 4 KiB: words of the arena, `UndoLog`, `Reader`, `Revisions`, `Counters` and `FreeBlocks`. The first 16 stay
 * zero: an empty block.
 */
export const HEADER = {
  magic: 16,
  undo: 24,
  bounds: 48,
  readers: 64,
  revisions: 1024,
  counters: 2048,
  freeBlocks: 3072,
  end: 4096,
} as const;
/** Blocks are multiples of this many bytes. */
export const UNIT_BYTES = 64;
/** Blocks from this size on are large: tables and their segments, of which there are few sizes. */
export const LARGE_BYTES = 4 * 1024;

/** The setting by which a memory is as large as it is: whoever fills it is told to raise that one. */
export type BudgetSetting = 'memory.budgetMiB' | 'jobs.memoryMiB';

export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly i64: BigInt64Array;
  /** Of rows that a checkpoint wants as they were: see `Table`. */
  readonly undo: UndoLog;
  readonly setting: BudgetSetting;
  readonly #free = new Map<number, number[]>();
  readonly #large: FreeBlocks;
  readonly #bounds: Bounds;
  /** Of the thread that takes extents. */
  readonly #extents: Extents;

  /** Attaches to a memory that `Arena.create` made, in any thread. */
  constructor(memory: WebAssembly.Memory, setting: BudgetSetting = 'memory.budgetMiB') {
    const { buffer } = memory;
    this.memory = memory;
    this.setting = setting;
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.undo = new UndoLog(memory, HEADER.undo);
    this.#large = new FreeBlocks(memory, HEADER.freeBlocks, UNIT_BYTES);
    this.#bounds = new Bounds(memory, HEADER.bounds);
    this.#extents = new Extents(this.#bounds);
    if (this.u32[HEADER.magic >>> 2] === 0) {
      this.u32[HEADER.magic >>> 2] = MAGIC;
      // The last unit is never taken: in 4 GiB the address after it would be 0, and loops up to it would not end.
      this.#bounds.begin(HEADER.end / UNIT_BYTES, this.budgetBytes / UNIT_BYTES - 1);
    }
  }

  /** Reserves `budgetBytes` (up to 4 GiB) of address space. */
  static create(budgetBytes: number, setting?: BudgetSetting): Arena {
    const pages = Math.min(65_536, Math.ceil(budgetBytes / PAGE_BYTES));
    return new Arena(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }), setting);
  }

  /** A new arena in the same memory: nobody may hold anything of this one any more. */
  renew(): Arena {
    // Bytes of a shared memory would be zeroed one by one.
    this.f64.fill(0, 0, (UNIT_BYTES * this.#bounds.low) / 8);
    return new Arena(this.memory, this.setting);
  }

  get budgetBytes(): number {
    return this.u8.byteLength;
  }

  /** Bytes handed out so far, those freed and not yet reused included. */
  get usedBytes(): number {
    return this.budgetBytes - UNIT_BYTES - this.freeBytes;
  }

  get freeBytes(): number {
    return Math.max(0, this.#bounds.high - this.#bounds.low) * UNIT_BYTES;
  }

  /** A zeroed block of at least `bytes`, aligned to 64. Throws MEMORY_FULL. */
  allocate(bytes: number): number {
    assert(bytes >= 0, `a block cannot have ${bytes} bytes`);
    const size = roundUp(bytes);
    const reused = (size >= LARGE_BYTES ? this.#large.take(size) : undefined) ?? this.#free.get(size)?.pop();
    if (reused !== undefined) {
      // Bytes of a shared memory would be zeroed one by one.
      this.f64.fill(0, reused / 8, (reused + size) / 8);
      return reused;
    }
    return this.#addressOf(this.#bounds.takeLow(size / UNIT_BYTES));
  }

  /** A zeroed block at the upper end, for the one thread that takes any there; what is given back can be had as a whole again. Throws MEMORY_FULL. */
  allocateExtents(bytes: number): number {
    return this.#addressOf(this.#extents.take(bytes / UNIT_BYTES));
  }

  /** Bytes that are free for `allocateExtents`, at most. */
  get freeExtentBytes(): number {
    return this.freeBytes + this.#extents.freeUnits * UNIT_BYTES;
  }

  /** Gives back a block of `allocate(bytes)`. No reader may still hold its address: see `Readers.retire`. */
  free(address: number, bytes: number): void {
    const size = roundUp(bytes);
    if (this.#extents.has(address / UNIT_BYTES)) {
      // Both ends may take it next, and what nobody was given yet is zero.
      this.f64.fill(0, address / 8, (address + size) / 8);
      this.#extents.give(address / UNIT_BYTES, size / UNIT_BYTES);
      return;
    }
    // A small one, or of one size too many, stays with this thread.
    if (size >= LARGE_BYTES && this.#large.put(address, size)) return;
    const list = this.#free.get(size);
    if (list) list.push(address);
    else this.#free.set(size, [address]);
  }

  #addressOf(unit: number | undefined): number {
    if (unit !== undefined) return unit * UNIT_BYTES;
    const budgetMiB = Math.floor(this.budgetBytes / 2 ** 20);
    throw new AccreteError('MEMORY_FULL', `The memory budget of ${budgetMiB} MiB is used up: raise ${this.setting}`);
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES;
}
