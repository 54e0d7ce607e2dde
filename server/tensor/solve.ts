import { type Matrix, SOLVE_MAX, type Workspace } from '../../plugins/contract/index.ts';
import { requireFit } from './shape.ts';

/**
 * a x = b for symmetric, positive definite a. TensorFlow.js has no solver: small systems are factorised here, in f64
 * (Cholesky); large ones are inverted by multiplications on the device (Schulz 1933): with X = I/|a|,
 *
 *     X += X (I - a X)        which squares the error I - a X at each step, until it is below `ERROR_MAX`
 *
 * and what f32 leaves wrong in x = X b is taken off once: x += X (b - a x). Where the error does not fall, f64 decides.
 */
export async function solve(on: Workspace, a: Matrix, b: Matrix, isHere: boolean): Promise<Matrix> {
  requireFit(a.rows === a.columns && a.rows === b.rows, 'solve takes a square matrix and as many rows', a, b);
  requireFit(a.rows <= SOLVE_MAX, `solve takes at most ${SOLVE_MAX} rows`, a);
  if (isHere || a.rows <= HERE_MAX) return solveHere(on, a, b);
  const inverse = await invert(on, a);
  if (!inverse) return solveHere(on, a, b);
  return on.tidy(() => {
    const first = on.matmul(inverse, b);
    const rest = on.subtract(b, on.matmul(a, first));
    const x = on.add(first, on.matmul(inverse, rest));
    on.free(inverse);
    return x;
  });
}

/** Up to here a factorisation costs less than the way to the device. */
const HERE_MAX = 128;
const STEPS_MAX = 64;
/** Steps between two looks at the error. */
const STRIDE = 4;
/** Of the largest element of I - a X. */
const ERROR_MAX = 1e-3;

async function invert(on: Workspace, a: Matrix): Promise<Matrix | undefined> {
  const width = a.rows;
  const identity = on.upload(identityOf(width), width, width);
  let inverse = on.affine(identity, 1 / (await norm(on, a)));
  let before = Number.POSITIVE_INFINITY;
  try {
    for (let step = 0; step < STEPS_MAX; step += STRIDE) {
      for (let n = 0; n < STRIDE; n++) {
        const next: Matrix = on.tidy(() => {
          const error = on.subtract(identity, on.matmul(a, inverse));
          return on.add(inverse, on.matmul(inverse, error));
        });
        on.free(inverse);
        inverse = next;
      }
      const error = await errorOf(on, a, inverse, identity);
      // At first the norm of the error may stay where it is: small eigenvalues take long.
      if (error < ERROR_MAX) return inverse;
      if (!Number.isFinite(error) || error > 2 * before) break;
      before = error;
    }
  } finally {
    on.free(identity);
  }
  on.free(inverse);
  return undefined;
}

async function errorOf(on: Workspace, a: Matrix, inverse: Matrix, identity: Matrix): Promise<number> {
  const sizes = on.tidy(() => on.apply('abs', on.subtract(identity, on.matmul(a, inverse))));
  const error = on.sum(sizes, 'columns');
  const sums = await on.read(error);
  on.free(sizes, error);
  return sums.reduce((most, sum) => Math.max(most, sum), 0);
}

/** The largest sum of a row's absolute values: no eigenvalue is beyond it. */
async function norm(on: Workspace, a: Matrix): Promise<number> {
  const sums = on.tidy(() => on.sum(on.apply('abs', a), 'columns'));
  const most = (await on.read(sums)).reduce((most, sum) => Math.max(most, sum), 0);
  on.free(sums);
  return most;
}

function identityOf(width: number): Float32Array {
  const values = new Float32Array(width * width);
  for (let n = 0; n < width; n++) values[n * width + n] = 1;
  return values;
}

async function solveHere(on: Workspace, a: Matrix, b: Matrix): Promise<Matrix> {
  const [matrix, right] = await Promise.all([on.read(a), on.read(b)]);
  const factor = factorise(matrix, a.rows);
  const x = new Float32Array(right.length);
  const column = new Float64Array(a.rows);
  for (let n = 0; n < b.columns; n++) {
    for (let row = 0; row < a.rows; row++) column[row] = right[row * b.columns + n];
    substitute(factor, column);
    for (let row = 0; row < a.rows; row++) x[row * b.columns + n] = column[row];
  }
  return on.upload(x, b.rows, b.columns);
}

/** L of a = L L', in f64. */
function factorise(a: Float32Array, width: number): Float64Array {
  const factor = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    const own = factor.subarray(row * width, (row + 1) * width);
    for (let column = 0; column <= row; column++) {
      const other = factor.subarray(column * width, (column + 1) * width);
      let rest: number = a[row * width + column];
      for (let f = 0; f < column; f++) rest -= own[f] * other[f];
      if (row === column && !(rest > LEAST_PIVOT * Math.abs(a[row * width + row]))) throw indefinite(row);
      own[column] = row === column ? Math.sqrt(rest) : rest / other[column];
    }
  }
  return factor;
}

/** Of a diagonal element: what f32 leaves of a row that depends on those before it. */
const LEAST_PIVOT = 1e-7;

function substitute(factor: Float64Array, b: Float64Array): void {
  const width = b.length;
  for (let row = 0; row < width; row++) {
    for (let f = 0; f < row; f++) b[row] -= factor[row * width + f] * b[f];
    b[row] /= factor[row * width + row];
  }
  for (let row = width - 1; row >= 0; row--) {
    for (let f = row + 1; f < width; f++) b[row] -= factor[f * width + row] * b[f];
    b[row] /= factor[row * width + row];
  }
}

function indefinite(row: number): RangeError {
  return new RangeError(
    `solve takes a positive definite matrix, and row ${row} of this one depends on those before it: add to its diagonal`,
  );
}
