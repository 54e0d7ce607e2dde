import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factorise, solve } from './cholesky.ts';

test('three equations by hand', () => {
  // L = [2; 1 3; -1 2 1], A = L L', x = (1, -1, 2).
  const matrix = Float64Array.of(4, 0, 0, 2, 10, 0, -2, 5, 6);
  factorise(matrix, 3, 0.1);
  assert.deepEqual(Array.from(matrix), [2, 0, 0, 1, 3, 0, -1, 2, 1]);
  const b = Float64Array.of(4 - 2 - 4, 2 - 10 + 10, -2 - 5 + 12);
  solve(matrix, 3, b);
  assert.deepEqual(Array.from(b), [1, -1, 2]);
});

test('a matrix that is not positive definite has a finite solution', () => {
  const matrix = Float64Array.of(1, 0, 5, 1);
  const b = Float64Array.of(1, 1);
  factorise(matrix, 2, 1);
  solve(matrix, 2, b);
  assert.ok(b.every(Number.isFinite), String(b));
});

test('nothing to solve', () => {
  const b = new Float64Array();
  factorise(b, 0, 1);
  solve(b, 0, b);
  assert.equal(b.length, 0);
});
