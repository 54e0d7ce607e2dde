import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Scale } from './scale.ts';

test('values are mapped to 1..5 and back', () => {
  const cases: [min: number, max: number, value: number, internal: number][] = [
    [1, 5, 1, 1],
    [1, 5, 3.5, 3.5],
    [1, 5, 5, 5],
    [0, 1, 0, 1],
    [0, 1, 0.5, 3],
    [0, 1, 1, 5],
    [0, 10, 10, 5],
    [0, 10, 2.5, 2],
    [-10, 10, -10, 1],
    [-10, 10, 0, 3],
    [-10, 10, 10, 5],
    [0.5, 5, 0.5, 1],
    [0.5, 5, 2.75, 3],
    [0.5, 5, 5, 5],
  ];
  for (const [min, max, value, internal] of cases) {
    const scale = new Scale(min, max);
    assert.equal(scale.toInternal(value), internal);
    assert.equal(scale.toExternal(internal), value);
  }
});

test('the ends are exact, and nothing leaves the scale, whatever the scale', () => {
  const bound = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const internal = fc.oneof(
    fc.double({ noNaN: true }),
    fc.double({ min: 1, max: 5, noNaN: true }),
    fc.constant(5 - 2 ** -50),
  );
  fc.assert(
    fc.property(bound, bound, internal, (a, b, value) => {
      fc.pre(Math.abs(a - b) > 1e-6);
      const [min, max] = a < b ? [a, b] : [b, a];
      const scale = new Scale(min, max);
      assert.equal(scale.toInternal(min), 1);
      assert.equal(scale.toInternal(max), 5);
      assert.equal(scale.toExternal(1), min);
      assert.equal(scale.toExternal(5), max);
      const external = scale.toExternal(value);
      assert.ok(external >= min && external <= max, `${external} is outside [${min}, ${max}]`);
      if (value >= 1 && value <= 5) {
        assert.ok(
          Math.abs(scale.toInternal(external) - value) < 1e-12 + (1e-14 * (Math.abs(min) + Math.abs(max))) / scale.unit,
        );
      }
    }),
    { numRuns: 500 },
  );
});

test('a unit is a fourth of the scale, and what is no number stays none', () => {
  assert.equal(new Scale(0, 10).unit, 2.5);
  assert.ok(Number.isNaN(new Scale(1, 5).toExternal(Number.NaN)));
});
