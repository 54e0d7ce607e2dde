import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exp2, exponentOf, ln, powerOfTwo } from './elementary.ts';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 4e-15 * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

test('ln agrees with the engine', () => {
  for (let x = 1e-300; x < 1e300; x *= 1.37) near(ln(x), Math.log(x));
  for (let n = 1; n < 2000; n++) near(ln(n), Math.log(n));
  assert.equal(ln(1), 0);
});

test('exp2 agrees with the engine', () => {
  for (let x = -1000; x < 1000; x += 0.619) assert.ok(Math.abs(exp2(x) / 2 ** x - 1) < 1e-14, `2^${x}`);
  assert.equal(exp2(0.5) ** 2 - 2 < 1e-15, true);
});

test('powers of two are exact', () => {
  for (let n = -1022; n <= 1023; n++) {
    assert.equal(powerOfTwo(n), 2 ** n);
    assert.equal(exp2(n), 2 ** n);
    assert.equal(exponentOf(powerOfTwo(n) * 1.75), n);
  }
  assert.equal(powerOfTwo(-1023), 0);
  assert.equal(powerOfTwo(-1e9), 0);
});

test('exponentOf is the floor of log2', () => {
  assert.deepEqual([1, 1.99, 2, 3.99, 4, 0.5, 0.49].map(exponentOf), [0, 0, 1, 1, 2, -1, -2]);
});
