/** Symmetric, positive definite systems of n equations; a matrix is n rows of n, of which the lower half is used. */

/**
 * A = L L': overwrites A's lower half with L (Cholesky). `least` is known to be no more than any eigenvalue, so that
 * numbers which do not quite fit together, since they are being written, cannot make a pivot smaller.
 */
export function factorise(matrix: Float64Array, n: number, least: number): void {
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let rest = matrix[row * n + column];
      for (let f = 0; f < column; f++) rest -= matrix[row * n + f] * matrix[column * n + f];
      matrix[row * n + column] = row === column ? Math.sqrt(Math.max(least, rest)) : rest / matrix[column * n + column];
    }
  }
}

/** Overwrites b with the x of L L' x = b. */
export function solve(factor: Float64Array, n: number, b: Float64Array): void {
  for (let row = 0; row < n; row++) {
    for (let f = 0; f < row; f++) b[row] -= factor[row * n + f] * b[f];
    b[row] /= factor[row * n + row];
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let f = row + 1; f < n; f++) b[row] -= factor[f * n + row] * b[f];
    b[row] /= factor[row * n + row];
  }
}
