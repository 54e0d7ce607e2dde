import type {
  Column,
  ColumnSpec,
  ColumnSpecs,
  Table as ReadTable,
  WritableAddress,
} from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import type { HostKernels } from './kernels/host-kernels.ts';

/**
 * Rows of fixed width in segments. Growing adds a segment; rows never move. One thread writes, all read.
 * In memory: a header (rows, then the address of each segment) and the segments.
 */

/** A segment holds the most rows, a power of two, that fit into this. */
const SEGMENT_BYTES = 256 * 1024;
const TABLE_BYTES_MAX = 4 * 1024 ** 3;

/** What another thread needs to attach to a table. */
export interface TableDescriptor<Columns extends ColumnSpecs = ColumnSpecs> {
  readonly columns: Columns;
  readonly address: number;
}

export class Table<Columns extends ColumnSpecs = ColumnSpecs> implements ReadTable<Columns, WritableAddress> {
  readonly stride: number;
  readonly segmentRows: number;
  readonly columns: Columns;
  readonly #arena: Arena;
  readonly #address: number;
  readonly #directory: number;
  readonly #segments: number;
  readonly #shift: number;
  readonly #offsets: Readonly<Record<string, number>>;

  constructor(arena: Arena, descriptor: TableDescriptor<Columns>) {
    const { stride, offsets } = layOut(descriptor.columns);
    this.columns = descriptor.columns;
    this.stride = stride;
    this.#offsets = offsets;
    this.#shift = segmentShift(stride);
    this.segmentRows = 2 ** this.#shift;
    this.#arena = arena;
    this.#address = descriptor.address;
    this.#directory = (descriptor.address >>> 2) + 2;
    this.#segments = segmentsMax(arena, stride * this.segmentRows);
  }

  static create<Columns extends ColumnSpecs>(arena: Arena, columns: Columns): Table<Columns> {
    const { stride } = layOut(columns);
    const segments = segmentsMax(arena, stride * 2 ** segmentShift(stride));
    return new Table(arena, { columns, address: arena.allocate(8 + 4 * segments) });
  }

  get descriptor(): TableDescriptor<Columns> {
    return { columns: this.columns, address: this.#address };
  }

  get rows(): number {
    return Atomics.load(this.#arena.u32, this.#address >>> 2);
  }

  /** Bytes of the segments that exist. */
  get bytes(): number {
    return Math.ceil(this.rows / this.segmentRows) * this.segmentRows * this.stride;
  }

  /** Bytes that the next `more` rows ask for. */
  growthBytes(more: number): number {
    const { rows, segmentRows } = this;
    return (Math.ceil((rows + more) / segmentRows) - Math.ceil(rows / segmentRows)) * segmentRows * this.stride;
  }

  /** Makes rows up to `rows` exist, zeroed. Throws MEMORY_FULL, and then nothing has changed. */
  grow(rows: number): void {
    this.reserve(rows);
    if (rows > this.rows) Atomics.store(this.#arena.u32, this.#address >>> 2, rows);
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

  /** Gives all memory back, by way of `retire`. */
  drop(retire: (address: number, bytes: number) => void): void {
    const segmentBytes = this.stride * this.segmentRows;
    for (let segment = 0; segment < this.#segments; segment++) {
      const address = this.#arena.u32[this.#directory + segment];
      if (address !== 0) retire(address, segmentBytes);
    }
    retire(this.#address, 8 + 4 * this.#segments);
  }
}

const BYTES = { f32: 4, f64: 8, u32: 4 } as const;

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
    offset += BYTES[column.type] * column.width;
    if (isVector(column)) offset = Math.ceil(offset / 16) * 16;
  }
  const alignment = vectors.length > 0 ? 16 : 8;
  return { stride: Math.max(8, Math.ceil(offset / alignment) * alignment), offsets };
}

function isVector(column: ColumnSpec): boolean {
  return column.width >= 4;
}

function segmentShift(stride: number): number {
  return Math.max(0, Math.floor(Math.log2(SEGMENT_BYTES / stride)));
}

function segmentsMax(arena: Arena, segmentBytes: number): number {
  return Math.ceil(Math.min(TABLE_BYTES_MAX, arena.budgetBytes) / segmentBytes);
}
