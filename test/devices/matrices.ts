import type { Matrix, Workspace } from '../../plugins/contract/index.ts';
import { Random } from '../../plugins/contract/index.ts';

/** Matrices of a test in f64, and the plain operations that devices are compared with. */
export class Plain implements Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;

  constructor(rows: number, columns: number, of: (row: number, column: number) => number) {
    this.rows = rows;
    this.columns = columns;
    this.values = Float64Array.from({ length: rows * columns }, (_, n) => of(Math.floor(n / columns), n % columns));
  }

  at(row: number, column: number): number {
    return this.values[row * this.columns + column];
  }

  map(of: (value: number, row: number, column: number) => number): Plain {
    return new Plain(this.rows, this.columns, (row, column) => of(this.at(row, column), row, column));
  }

  get transposed(): Plain {
    return new Plain(this.columns, this.rows, (row, column) => this.at(column, row));
  }

  times(other: Plain): Plain {
    return new Plain(this.rows, other.columns, (row, column) => {
      let sum = 0;
      for (let n = 0; n < this.columns; n++) sum += this.at(row, n) * other.at(n, column);
      return sum;
    });
  }

  /** With `other` repeated where it has one row or column. */
  with(other: Plain, how: (a: number, b: number) => number): Plain {
    return this.map((value, row, column) =>
      how(value, other.at(other.rows === 1 ? 0 : row, other.columns === 1 ? 0 : column)),
    );
  }

  get columnSums(): Plain {
    const ones = new Plain(1, this.rows, () => 1);
    return ones.times(this);
  }

  get rowSums(): Plain {
    return this.times(new Plain(this.columns, 1, () => 1));
  }

  get norm(): number {
    return Math.sqrt(this.values.reduce((sum, value) => sum + value * value, 0));
  }

  on(workspace: Workspace): Matrix {
    return workspace.upload(Float32Array.from(this.values), this.rows, this.columns);
  }
}

/** f32 numbers from -1 to 1, the same in every run. */
export function drawn(rows: number, columns: number, seed: number): Plain {
  const random = new Random();
  random.key(seed, 0);
  return new Plain(rows, columns, () => Math.fround(random.next() / 2 ** 31 - 1));
}

/** Symmetric, with eigenvalues of at least `ridge`. */
export function definite(width: number, ridge: number, seed: number): Plain {
  const half = drawn(width, width, seed);
  return half.times(half.transposed).map((value, row, column) => Math.fround(value + (row === column ? ridge : 0)));
}
