import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ticksOf } from './ticks.ts';

test('round numbers inside the range, evenly apart, told apart by their digits', () => {
  const range = fc.tuple(
    fc.double({ min: -1000, max: 1000, noNaN: true }),
    fc.double({ min: 0.001, max: 1e6, noNaN: true }),
    fc.integer({ min: 3, max: 8 }),
  );
  fc.assert(
    fc.property(range, ([low, width, about]) => {
      const high = low + width;
      const { values, digits } = ticksOf(low, high, about);
      assert(values.length >= 1 && values.length <= about + 1, `${values}`);
      assert(
        values.every((value) => value >= low - 1e-6 * width && value <= high + 1e-6 * width),
        `${values}`,
      );
      const texts = values.map((value) => value.toFixed(digits));
      assert.equal(new Set(texts).size, texts.length);
      for (const [n, text] of texts.entries()) assert(Math.abs(Number(text) - values[n]) < 1e-6 * width, text);
    }),
  );
});

test('by hand', () => {
  assert.deepEqual(ticksOf(0, 10, 5), { values: [0, 2, 4, 6, 8, 10], digits: 0 });
  assert.deepEqual(
    ticksOf(0.91, 0.98, 4).values.map((value) => value.toFixed(2)),
    ['0.92', '0.94', '0.96', '0.98'],
  );
  assert.deepEqual(ticksOf(3, 3, 5).values, [3]);
});
