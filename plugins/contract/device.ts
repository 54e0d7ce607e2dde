/**
 * Work on whole matrices, for refits: on a GPU where there is one, else here. What a plugin writes is the same; how fast
 * it is, and the last digits, are the device's. Online learning has no device: it stays on the kernels.
 */

/** A matrix of f32 on a device, row by row. It is only of use to the workspace that made it. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
}

/** What `apply` does to each number; `step` is 1 above 0 and else 0: the gradient of `relu`. */
export type Elementwise = 'relu' | 'step' | 'sigmoid' | 'tanh' | 'exp' | 'ln' | 'sqrt' | 'square' | 'abs';

/** The best of each row of scores, `count` a row: in falling order, equal ones by number. */
export interface TopItems {
  readonly items: Uint32Array;
  readonly scores: Float32Array;
}

/** A ~ u diag(s) v', of `rank` columns; s falls. */
export interface Decomposition {
  readonly u: Matrix;
  readonly s: Float32Array;
  readonly v: Matrix;
}

/**
 * Operations on matrices. They only ask: they return at once, and are done in their order. What failed fails the next
 * `read`, `topK`, `solve`, `svd` or `settle`. All matrices of a workspace are freed when its run ends; a loop frees its own,
 * by `free` or `tidy`, and waits by one of those five at least once in `OPERATIONS_MAX` operations. Shapes that do not fit
 * are a TypeError. A matrix for which the device has no room is refused with DEVICE_FULL.
 *
 * In `add` to `divide` the second matrix may have one row, one column or both: it is then repeated.
 */
export interface Workspace {
  /** Copies `rows` x `columns` numbers to the device. */
  upload(values: Float32Array, rows: number, columns: number): Matrix;
  /** A matrix of one number. */
  fill(rows: number, columns: number, value: number): Matrix;
  /** a b; `transposeA` stands for a' b, `transposeB` for a b'. */
  matmul(a: Matrix, b: Matrix, how?: { readonly transposeA?: boolean; readonly transposeB?: boolean }): Matrix;
  add(a: Matrix, b: Matrix): Matrix;
  subtract(a: Matrix, b: Matrix): Matrix;
  multiply(a: Matrix, b: Matrix): Matrix;
  divide(a: Matrix, b: Matrix): Matrix;
  /** factor a + offset. */
  affine(a: Matrix, factor: number, offset?: number): Matrix;
  apply(how: Elementwise, a: Matrix): Matrix;
  /** Sums over the rows (1 x columns) or over the columns (rows x 1). */
  sum(a: Matrix, over: 'rows' | 'columns'): Matrix;
  /** The named rows of a, in that order; one may be named twice. */
  gather(a: Matrix, rows: Uint32Array): Matrix;
  /** `count` rows of zeros, to which row n of a is added at `rows[n]`: the gradient of `gather`. */
  scatter(a: Matrix, rows: Uint32Array, count: number): Matrix;
  /** a and b side by side. */
  concat(a: Matrix, b: Matrix): Matrix;
  /** Columns [from, to) of a. */
  slice(a: Matrix, from: number, to: number): Matrix;
  /** a' a + ridge I. */
  gram(a: Matrix, ridge?: number): Matrix;
  /** queries items' + bias, a score for each query and item; `bias` is one row. */
  scoreBatch(queries: Matrix, items: Matrix, bias?: Matrix): Matrix;
  /**
   * The x of a x = b; a is symmetric and positive definite, at most `SOLVE_MAX` wide. Throws RangeError when it is not
   * definite enough for f32: add to its diagonal.
   */
  solve(a: Matrix, b: Matrix): Promise<Matrix>;
  /**
   * The greatest `rank` singular values and their vectors, from the eigenvalues of the smaller of a' a and a a', which is
   * at most `SVD_MAX` wide. Values below 1e-3 of the greatest are not to be relied on.
   */
  svd(a: Matrix, rank: number): Promise<Decomposition>;
  /** The `count` best of each row. */
  topK(scores: Matrix, count: number): Promise<TopItems>;
  /** Copies a matrix to memory. */
  read(a: Matrix): Promise<Float32Array>;
  /** Waits for all that was asked. */
  settle(): Promise<void>;
  free(...matrices: readonly Matrix[]): void;
  /** Does `work`, and frees all matrices that it made but those that it returns. */
  tidy<T extends Matrix | readonly Matrix[] | undefined>(work: () => T): T;
}

/** Operations that may be asked for before one waits. */
export const OPERATIONS_MAX = 8192;
/** The widest system of equations. */
export const SOLVE_MAX = 16_384;
/** The widest matrix of which eigenvalues are computed. */
export const SVD_MAX = 512;

export interface Device {
  /** `cpu`, `tensorflow` or `webgpu`. */
  readonly name: string;
  /**
   * A product of matrices of this many multiplications is done faster here than in this thread, the ways there and back
   * included; as it was measured when the server started. Infinity on `cpu`: what a plugin has kernels for it does by them.
   */
  readonly crossover: number;
  /**
   * Does `work` in a workspace of its own. When the device fails half way it is done once more, on `cpu`: it begins with
   * what is in memory, and changes that only when it has read its last result. Throws what `work` throws, DEVICE_FULL.
   */
  run<T>(work: (workspace: Workspace) => Promise<T>): Promise<T>;
}
