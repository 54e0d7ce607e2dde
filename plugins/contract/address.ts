/**
 * Byte addresses in the shared memory. What scoring is given can only be read: kernels that write take a
 * `WritableAddress`, and only learning is given those, so that the compiler keeps the two apart.
 */
declare const READ: unique symbol;
declare const WRITE: unique symbol;

/** A byte address (0 .. 2^32) whose bytes may be read. */
export type Address = number & { readonly [READ]: true };

/** A byte address whose bytes may also be written. */
export type WritableAddress = Address & { readonly [WRITE]: true };

/** The row number of a user or an item that has no row: unknown, or never rated. */
export const NO_ROW = 0xffff_ffff;

interface ReadonlyView {
  readonly length: number;
  readonly [index: number]: number;
}

/** The shared memory as arrays, for reading. The index of address `a` is `a >>> 2` (f32, u32) or `a >>> 3` (f64). */
export interface Memory {
  readonly f32: ReadonlyView;
  readonly f64: ReadonlyView;
  readonly u32: ReadonlyView;
}

/** The shared memory as arrays, for learning. A plugin writes only to addresses that its own tables gave it. */
export interface WritableMemory {
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
}
