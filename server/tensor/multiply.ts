import { readFileSync } from 'node:fs';

/** A matrix in memory, row by row. */
export interface Values {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

interface TensorKernels {
  multiplyBlock(a: number, b: number, width: number, rowsA: number, rowsB: number, out: number): void;
}

/** Blocks of each side, and how far they go along the sums: what stays in the processor's caches. */
const ROWS_A = 64;
const ROWS_B = 128;
const WIDTH = 512;
const FLOAT_BYTES = 4;
const PAGE_BYTES = 65_536;
const A = 0;
const B = A + ROWS_A * WIDTH;
const OUT = B + ROWS_B * WIDTH;
const END = OUT + ROWS_A * ROWS_B;

let compiled: WebAssembly.Module | undefined;

/** Products of matrices by SIMD, in the same order of additions everywhere: blocks are copied to a memory of its own. */
export class Multiplier {
  readonly #floats: Float32Array;
  readonly #kernels: TensorKernels;

  constructor() {
    const pages = Math.ceil((END * FLOAT_BYTES) / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#floats = new Float32Array(memory.buffer);
    compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)));
    this.#kernels = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as TensorKernels;
  }

  /** a b, with either transposed before. */
  multiply(a: Values, b: Values, transposeA: boolean, transposeB: boolean): Float32Array {
    const rows = transposeA ? a.columns : a.rows;
    const inner = transposeA ? a.rows : a.columns;
    const columns = transposeB ? b.rows : b.columns;
    const out = new Float32Array(rows * columns);
    for (let from = 0; from < inner; from += WIDTH) {
      const width = Math.min(WIDTH, inner - from);
      for (let column = 0; column < columns; column += ROWS_B) {
        const across = Math.min(ROWS_B, columns - column);
        this.#pack(B, b, !transposeB, column, across, from, width);
        for (let row = 0; row < rows; row += ROWS_A) {
          const down = Math.min(ROWS_A, rows - row);
          this.#pack(A, a, transposeA, row, down, from, width);
          this.#block(out, columns, row, down, column, across, width);
        }
      }
    }
    return out;
  }

  /** Copies rows of a matrix, or of its transpose, one after another, each to a multiple of 4 numbers. */
  #pack(to: number, m: Values, isTransposed: boolean, row: number, rows: number, from: number, width: number): void {
    const { values, columns } = m;
    const stride = roundUp(width, 4);
    const floats = this.#floats;
    for (let n = 0; n < rows; n++) {
      const at = to + n * stride;
      const start = (row + n) * columns + from;
      if (!isTransposed) floats.set(values.subarray(start, start + width), at);
      floats.fill(0, at + width, at + stride);
    }
    for (let i = 0; isTransposed && i < width; i++) {
      const start = (from + i) * columns + row;
      for (let n = 0; n < rows; n++) floats[to + n * stride + i] = values[start + n];
    }
  }

  /** Adds the product of the packed blocks; rows beyond them hold what was there, and their sums are left out. */
  #block(
    out: Float32Array,
    columns: number,
    row: number,
    down: number,
    column: number,
    across: number,
    width: number,
  ): void {
    const floats = this.#floats;
    const [rowsA, rowsB] = [roundUp(down, 2), roundUp(across, 4)];
    floats.fill(0, OUT, OUT + rowsA * rowsB);
    const address = (at: number) => at * FLOAT_BYTES;
    this.#kernels.multiplyBlock(address(A), address(B), roundUp(width, 4), rowsA, rowsB, address(OUT));
    for (let i = 0; i < down; i++) {
      const to = (row + i) * columns + column;
      const from = OUT + i * rowsB;
      for (let j = 0; j < across; j++) out[to + j] += floats[from + j];
    }
  }
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}
