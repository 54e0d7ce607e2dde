import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eigen } from './eigen.ts';

const near = (found: number, expected: number, what: string) =>
  assert.ok(Math.abs(found - expected) < 1e-10, `${what}: ${found} is not ${expected}`);

test('eigenvalues by hand: (2 1; 1 2) has 3 and 1', () => {
  const { values, vectors } = eigen(Float64Array.of(2, 1, 1, 2), 2);
  near(values[0], 3, 'first');
  near(values[1], 1, 'second');
  near(Math.abs(vectors[0] * vectors[2]), 0.5, 'the first lies on the diagonal');
  near(vectors[0] * vectors[1] + vectors[2] * vectors[3], 0, 'they are orthogonal');
});

test('v diag(values) v′ is the matrix, also with values that are equal, negative or 0', () => {
  for (const width of [1, 2, 7, 24]) {
    const matrix = new Float64Array(width * width);
    for (let row = 0; row < width; row++) {
      for (let column = 0; column < width; column++)
        matrix[row * width + column] = row === column ? Math.min(row, 3) - 1 : width > 7 ? 0 : 1 / (1 + row + column);
    }
    const { values, vectors } = eigen(Float64Array.from(matrix), width);
    assert.deepEqual(
      [...values],
      [...values].sort((a, b) => b - a),
    );
    for (let row = 0; row < width; row++) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let n = 0; n < width; n++) sum += vectors[row * width + n] * values[n] * vectors[column * width + n];
        near(sum, matrix[row * width + column], `width ${width}, element ${row}, ${column}`);
      }
    }
  }
});
