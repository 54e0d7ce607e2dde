import assert from 'node:assert/strict';
import { test } from 'node:test';
import { windowSize } from './window-size.ts';

test('the last tenth, at least 1,000 and at most 100,000', () => {
  const sizes = [1001, 9_999, 10_000, 10_011, 999_990, 1_000_000, 50_000_000].map((live) => windowSize(live));
  assert.deepEqual(sizes, [1000, 1000, 1000, 1002, 99_999, 100_000, 100_000]);
});

test('or what is asked for, within the same bounds', () => {
  assert.deepEqual(
    [5000, 10, 2_000_000].map((asked) => windowSize(500_000, asked)),
    [5000, 1000, 100_000],
  );
});

test('without a rating before the window it is refused, with what to do', () => {
  for (const live of [0, 999, 1000]) {
    assert.throws(() => windowSize(live), {
      reason: 'TOO_FEW_EVENTS',
      kind: 'failedPrecondition',
      message: `A candidate is judged by the latest 1000 live ratings, and by what came before them; there are ${live} in all: wait for more ratings`,
    });
  }
  assert.throws(() => windowSize(3000, 5000), { reason: 'TOO_FEW_EVENTS', message: /ask for fewer than 3000 / });
});
