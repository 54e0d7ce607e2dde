/** Of a column's length: what is left of it beside the columns before it is noise. */
const REST_MIN = 1e-12;

/**
 * Makes the columns of a matrix orthonormal, each beside those before it (Gram & Schmidt, twice over: Giraud, Langou &
 * Rozložník 2005). One that lies in their span is replaced by an axis that does not.
 */
export function orthonormal(matrix: Float64Array, rows: number, columns: number): void {
  let longest = 0;
  for (let column = 0; column < columns; column++) longest = Math.max(longest, lengthOf(matrix, rows, columns, column));
  for (let column = 0; column < columns; column++) {
    let isKept = reduce(matrix, rows, columns, column) > REST_MIN * longest;
    for (let axis = 0; !isKept && axis < rows; axis++) {
      for (let row = 0; row < rows; row++) matrix[row * columns + column] = row === axis ? 1 : 0;
      // Some axis keeps at least this much, or all would lie in the span.
      isKept = reduce(matrix, rows, columns, column) >= 0.5 / Math.sqrt(rows);
    }
    const length = lengthOf(matrix, rows, columns, column);
    for (let row = 0; row < rows; row++) matrix[row * columns + column] /= length;
  }
}

/** Takes the columns before out of one, and returns the length of what is left. */
function reduce(matrix: Float64Array, rows: number, columns: number, column: number): number {
  for (let pass = 0; pass < 2; pass++)
    for (let before = 0; before < column; before++) {
      let along = 0;
      for (let row = 0; row < rows; row++) along += matrix[row * columns + before] * matrix[row * columns + column];
      for (let row = 0; row < rows; row++) matrix[row * columns + column] -= along * matrix[row * columns + before];
    }
  return lengthOf(matrix, rows, columns, column);
}

function lengthOf(matrix: Float64Array, rows: number, columns: number, column: number): number {
  let square = 0;
  for (let row = 0; row < rows; row++) square += matrix[row * columns + column] ** 2;
  return Math.sqrt(square);
}
