/** Eigenvalues, the greatest first, and in column n of `vectors` (row by row) the vector of value n, of length 1. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

const SWEEPS_MAX = 50;
/** Of the sum of squares: what is left beside the diagonal. */
const REST_MAX = 1e-24;

/** Of a symmetric matrix, which is overwritten: rotations that zero each element in turn (Jacobi 1846). */
export function eigen(matrix: Float64Array, width: number): Eigen {
  // Row n is vector n, so that a rotation goes over two stretches of memory.
  const turned = new Float64Array(width * width);
  for (let n = 0; n < width; n++) turned[n * width + n] = 1;
  const total = matrix.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < SWEEPS_MAX && besideDiagonal(matrix, width) > REST_MAX * total; sweep++) {
    for (let p = 0; p < width; p++) for (let q = p + 1; q < width; q++) rotate(matrix, turned, width, p, q);
  }
  const order = Array.from({ length: width }, (_, n) => n).sort(
    (a, b) => matrix[b * width + b] - matrix[a * width + a],
  );
  const values = Float64Array.from(order, (n) => matrix[n * width + n]);
  const vectors = new Float64Array(width * width);
  for (let n = 0; n < width; n++) {
    for (let row = 0; row < width; row++) vectors[row * width + n] = turned[order[n] * width + row];
  }
  return { values, vectors };
}

function besideDiagonal(matrix: Float64Array, width: number): number {
  let sum = 0;
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < row; column++) sum += 2 * matrix[row * width + column] ** 2;
  }
  return sum;
}

/** Turns axes p and q so that element (p, q) becomes 0 (Rutishauser 1966). */
function rotate(matrix: Float64Array, turned: Float64Array, width: number, p: number, q: number): void {
  const off = matrix[p * width + q];
  if (off === 0) return;
  const half = (matrix[q * width + q] - matrix[p * width + p]) / (2 * off);
  const tangent = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.sqrt(1 + half * half));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = tangent * cosine;
  for (let n = 0; n < width; n++) turn(matrix, n * width + p, n * width + q, cosine, sine);
  for (let n = 0; n < width; n++) turn(matrix, p * width + n, q * width + n, cosine, sine);
  for (let n = 0; n < width; n++) turn(turned, p * width + n, q * width + n, cosine, sine);
  matrix[p * width + q] = 0;
  matrix[q * width + p] = 0;
}

function turn(values: Float64Array, a: number, b: number, cosine: number, sine: number): void {
  const [x, y] = [values[a], values[b]];
  values[a] = cosine * x - sine * y;
  values[b] = sine * x + cosine * y;
}
