import type {
  Column,
  ColumnSpec,
  ColumnSpecs,
  Table as ReadTable,
  WritableAddress,
} from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import type { UndoRows } from './undo-rows.ts';

/**
 * Rows of fixed width in segments. Growing adds a segment; rows never move. One thread writes, all read.
 * In memory: a header (rows, then the address and the mark of each segment) and the segments.
 *
 * A mark says how a segment stands to the checkpoints: the latest one has it as it is (SAVED), it changed since then
 * (CHANGED), or the one that is being written wants it as it was when that began, and it is (WANTED), or it changed
 * meanwhile (UNDONE). Whoever writes calls `touch` first, which keeps the row of a wanted segment in the `UndoLog`, the
 * first time. Another thread saves: it copies a wanted segment, and then puts back what the log has of it. What it copied
 * may be half changed: each row of that was in the log before. Neither waits for the other, unless the log is full.
 */

/** A segment holds the most rows, a power of two, that fit into this. A row may be as large. */
export const SEGMENT_BYTES = 256 * 1024;
const TABLE_BYTES_MAX = 4 * 1024 ** 3;

const SAVED = 0;
const WANTED = 1;
const UNDONE = 2;
const CHANGED = 3;

/** What another thread needs to attach to a table. */
export interface TableDescriptor<Columns extends ColumnSpecs = ColumnSpecs> {
  readonly columns: Columns;
  readonly address: number;
  /** The most that a segment has, a power of two; SEGMENT_BYTES unless it says so. */
  readonly segmentBytes?: number;
}

/** Tables that a checkpoint saves, by name. */
export type StateTables = Readonly<Record<string, Table>>;

/** The same under names that begin with that of what they are part of. */
export function prefixed(name: string, tables: StateTables): StateTables {
  return Object.fromEntries(Object.entries(tables).map(([key, table]) => [`${name}.${key}`, table]));
}

export class Table<Columns extends ColumnSpecs = ColumnSpecs> implements ReadTable<Columns, WritableAddress> {
  readonly stride: number;
  readonly segmentRows: number;
  readonly columns: Columns;
  readonly descriptor: TableDescriptor<Columns>;
  readonly #arena: Arena;
  readonly #words: Uint32Array;
  readonly #address: number;
  readonly #directory: number;
  /** Index of the first mark. */
  readonly #marks: number;
  readonly #segments: number;
  readonly #shift: number;
  readonly #offsets: Readonly<Record<string, number>>;
  /** A bit for each row that is in the log of this checkpoint: no state, but what keeps the log short. */
  #kept = new Uint32Array();
  #keptOf = 0;

  constructor(arena: Arena, descriptor: TableDescriptor<Columns>) {
    const { stride, offsets } = layOut(descriptor.columns);
    this.columns = descriptor.columns;
    this.descriptor = descriptor;
    this.stride = stride;
    this.#offsets = offsets;
    this.#shift = segmentShift(stride, descriptor.segmentBytes);
    this.segmentRows = 2 ** this.#shift;
    this.#arena = arena;
    this.#words = arena.u32;
    this.#address = descriptor.address;
    this.#directory = (descriptor.address >>> 2) + 2;
    this.#segments = segmentsMax(arena, stride * this.segmentRows);
    this.#marks = this.#directory + this.#segments;
  }

  static create<Columns extends ColumnSpecs>(arena: Arena, columns: Columns, segmentBytes?: number): Table<Columns> {
    const { stride } = layOut(columns);
    const segments = segmentsMax(arena, stride * 2 ** segmentShift(stride, segmentBytes));
    return new Table(arena, { columns, address: arena.allocate(headBytes(segments)), segmentBytes });
  }

  /** How many segments `rows` rows of a table take. */
  static segmentsOf(descriptor: Pick<TableDescriptor, 'columns' | 'segmentBytes'>, rows: number): number {
    return Math.ceil(rows / Table.segmentRowsOf(descriptor));
  }

  static segmentRowsOf({ columns, segmentBytes }: Pick<TableDescriptor, 'columns' | 'segmentBytes'>): number {
    return 2 ** segmentShift(layOut(columns).stride, segmentBytes);
  }

  get directory(): WritableAddress {
    return (4 * this.#directory) as WritableAddress;
  }

  get rows(): number {
    return Atomics.load(this.#arena.u32, this.#address >>> 2);
  }

  /** Bytes of the segments that exist. */
  get bytes(): number {
    return Math.ceil(this.rows / this.segmentRows) * this.segmentRows * this.stride;
  }

  /** Bytes that a copy of it takes. */
  get copyBytes(): number {
    return this.headBytes + this.bytes;
  }

  /** Bytes that it takes without a row. */
  get headBytes(): number {
    return headBytes(this.#segments);
  }

  /** Bytes that the next `more` rows ask for. */
  growthBytes(more: number): number {
    const { rows, segmentRows } = this;
    return (Math.ceil((rows + more) / segmentRows) - Math.ceil(rows / segmentRows)) * segmentRows * this.stride;
  }

  /** Makes rows up to `rows` exist, zeroed. Throws MEMORY_FULL, and then nothing has changed. */
  grow(rows: number): void {
    this.reserve(rows);
    const before = this.rows;
    if (rows <= before) return;
    for (let row = before; row < rows; row = (row | (this.segmentRows - 1)) + 1) this.touch(row);
    Atomics.store(this.#arena.u32, this.#address >>> 2, rows);
  }

  /** To be called before a row is changed. */
  touch(row: number): void {
    if (this.#words[this.#marks + (row >>> this.#shift)] !== CHANGED) this.#change(row >>> this.#shift, row);
  }

  /** Takes the memory of rows up to `rows`: they can be written, and exist for others only after `grow`. */
  reserve(rows: number): void {
    const { u32 } = this.#arena;
    const present = Math.ceil(this.rows / this.segmentRows);
    const needed = Math.ceil(rows / this.segmentRows);
    for (let segment = present; segment < needed; segment++) {
      // The directory has room for as many segments as fit the budget, so `allocate` refuses first.
      u32[this.#directory + segment] ||= this.#arena.allocate(this.stride * this.segmentRows);
    }
  }

  /** Sets every byte of a row to zero. */
  clear(row: number): void {
    this.touch(row);
    const start =
      this.#arena.u32[this.#directory + (row >>> this.#shift)] + (row & (this.segmentRows - 1)) * this.stride;
    this.#arena.u8.fill(0, start, start + this.stride);
  }

  column(name: keyof Columns & string): Column<WritableAddress> {
    const { u32 } = this.#arena;
    const directory = this.#directory;
    const shift = this.#shift;
    const mask = this.segmentRows - 1;
    const stride = this.stride;
    const offset = this.#offsets[name];
    if (offset === undefined)
      throw new TypeError(`table has no column ${name}; it has ${Object.keys(this.columns).join(', ')}`);
    return (row) => (u32[directory + (row >>> shift)] + (row & mask) * stride + offset) as WritableAddress;
  }

  /** Continues hash `seed` over every byte of every row. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    let hash = seed;
    const { rows } = this;
    for (let row = 0; row < rows; row += this.segmentRows) {
      const segment = this.#arena.u32[this.#directory + (row >>> this.#shift)];
      hash = kernels.xxh64(segment, Math.min(this.segmentRows, rows - row) * this.stride, hash);
    }
    return hash;
  }

  /** How many segments `rows` rows take. */
  segmentCount(rows: number): number {
    return Math.ceil(rows / this.segmentRows);
  }

  /** A checkpoint begins: what changed since the last one is wanted. By the thread that writes. */
  beginSaving(): void {
    const { u32 } = this.#arena;
    for (let segment = 0; segment < this.segmentCount(this.rows); segment++) {
      Atomics.compareExchange(u32, this.#marks + segment, CHANGED, WANTED);
    }
  }

  /** The checkpoint failed: the next one wants all. By the thread that writes, when nobody saves. */
  abandonSaving(): void {
    const { u32 } = this.#arena;
    for (let segment = 0; segment < this.segmentCount(this.rows); segment++) u32[this.#marks + segment] = CHANGED;
  }

  /**
   * Copies a segment into `into` as it was when the checkpoint began, its first `into.length` bytes; false when it has not
   * changed since the one before. Once for each segment, by the thread that saves.
   */
  save(segment: number, into: Uint8Array, undo: UndoRows): boolean {
    const { u32, u8 } = this.#arena;
    const mark = this.#marks + segment;
    const before = Atomics.load(u32, mark);
    if (before !== WANTED && before !== UNDONE) return false;
    const address = u32[this.#directory + segment];
    into.set(u8.subarray(address, address + into.length));
    if (Atomics.compareExchange(u32, mark, WANTED, SAVED) === WANTED) return true;
    // What is kept from here on is of rows that were copied as they were.
    Atomics.store(u32, mark, CHANGED);
    undo.putBack(mark, (row, bytes) => {
      const at = (row & (this.segmentRows - 1)) * this.stride;
      if (at < into.length) into.set(bytes, at);
    });
    return true;
  }

  /** The segment whose mark has this index; -1: none of this table. */
  segmentOfMark(index: number): number {
    const segment = index - this.#marks;
    return segment >= 0 && segment < this.#segments ? segment : -1;
  }

  /** Fills a new table: `fill` writes each of its segments, of which `rows` rows are used. It is saved as it is then. */
  restore(rows: number, fill: (segment: number, into: Uint8Array) => void): void {
    const { u8, u32 } = this.#arena;
    this.reserve(rows);
    for (let segment = 0; segment < this.segmentCount(rows); segment++) {
      const address = u32[this.#directory + segment];
      fill(segment, u8.subarray(address, address + this.segmentBytes(segment, rows)));
      u32[this.#marks + segment] = SAVED;
    }
    Atomics.store(u32, this.#address >>> 2, rows);
  }

  /** Fills a new table with what another one of the same columns has. Throws MEMORY_FULL. */
  copy(from: Table): void {
    this.restore(from.rows, (segment, into) => {
      const address = from.#arena.u32[from.#directory + segment];
      into.set(from.#arena.u8.subarray(address, address + into.length));
    });
    this.abandonSaving();
  }

  /** Bytes of a segment that are in use when there are `rows` rows. */
  segmentBytes(segment: number, rows: number): number {
    return Math.min(this.segmentRows, rows - segment * this.segmentRows) * this.stride;
  }

  /** A row changes: what a checkpoint wants of it is kept. */
  #change(segment: number, row: number): void {
    const { u32 } = this.#arena;
    const mark = this.#marks + segment;
    const before = Atomics.load(u32, mark);
    const isWanted = before === WANTED || before === UNDONE;
    if (isWanted && !this.#keep(mark, segment, row)) Atomics.store(u32, mark, CHANGED);
    else if (before === SAVED) Atomics.store(u32, mark, CHANGED);
    // Whoever saves may have been faster.
    else if (before === WANTED && Atomics.compareExchange(u32, mark, WANTED, UNDONE) !== WANTED)
      Atomics.store(u32, mark, CHANGED);
  }

  /** Keeps a row as it was when the checkpoint began, if it is not kept yet. False: nobody saves. */
  #keep(mark: number, segment: number, row: number): boolean {
    const { undo, u32 } = this.#arena;
    if (this.#keptOf !== undo.checkpoint) {
      this.#keptOf = undo.checkpoint;
      this.#kept = new Uint32Array((this.rows >>> 5) + 1);
    }
    const bit = 1 << (row & 31);
    // Rows beyond those are new since the checkpoint began.
    if (row >>> 5 >= this.#kept.length || (this.#kept[row >>> 5] & bit) !== 0) return true;
    this.#kept[row >>> 5] |= bit;
    const address = u32[this.#directory + segment] + (row & (this.segmentRows - 1)) * this.stride;
    return undo.keep(mark, row, address, this.stride);
  }

  /** Gives all memory back, by way of `retire`. */
  drop(retire: (address: number, bytes: number) => void): void {
    const segmentBytes = this.stride * this.segmentRows;
    for (let segment = 0; segment < this.#segments; segment++) {
      const address = this.#arena.u32[this.#directory + segment];
      if (address !== 0) retire(address, segmentBytes);
    }
    retire(this.#address, headBytes(this.#segments));
  }
}

const BYTES = { f32: 4, f64: 8, u32: 4 } as const;

/** Bytes of a column in a row. */
export function columnBytes({ type, width }: ColumnSpec): number {
  return BYTES[type] * width;
}

/** Columns in the order of their alignment, then as declared; rows are multiples of 8 bytes, long ones of 16. */
export function layOut(columns: ColumnSpecs): { stride: number; offsets: Record<string, number> } {
  const entries = Object.entries(columns);
  const vectors = entries.filter(([, column]) => isVector(column));
  const doubles = entries.filter(([, column]) => !isVector(column) && column.type === 'f64');
  const words = entries.filter(([, column]) => !isVector(column) && column.type !== 'f64');
  const offsets: Record<string, number> = {};
  let offset = 0;
  for (const [name, column] of [...vectors, ...doubles, ...words]) {
    offsets[name] = offset;
    offset += columnBytes(column);
    if (isVector(column)) offset = Math.ceil(offset / 16) * 16;
  }
  const alignment = vectors.length > 0 ? 16 : 8;
  return { stride: Math.max(8, Math.ceil(offset / alignment) * alignment), offsets };
}

function isVector(column: ColumnSpec): boolean {
  return column.width >= 4;
}

/** Rows and a word of zeros, then the two words of each segment. */
function headBytes(segments: number): number {
  return 8 + 8 * segments;
}

function segmentShift(stride: number, segmentBytes = SEGMENT_BYTES): number {
  return Math.max(0, Math.floor(Math.log2(segmentBytes / stride)));
}

function segmentsMax(arena: Arena, segmentBytes: number): number {
  return Math.ceil(Math.min(TABLE_BYTES_MAX, arena.budgetBytes) / segmentBytes);
}
