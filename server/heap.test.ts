import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { IdleWatch, shrinkHeap } from './heap.ts';

test('a server is idle when no call runs and none has begun for a while', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const calls = { begun: 0, open: 0 };
  let idle = 0;
  const watch = new IdleWatch(
    () => calls,
    () => idle++,
  );
  const after = (change: Partial<typeof calls>) => {
    Object.assign(calls, change);
    t.mock.timers.tick(2000);
    return idle;
  };
  assert.deepEqual([after({}), after({})], [0, 1], 'once it has looked twice');
  assert.deepEqual([after({ begun: 1, open: 1 }), after({}), after({})], [1, 1, 1], 'one runs');
  assert.deepEqual([after({ open: 0 }), after({ begun: 2 }), after({})], [2, 2, 3], 'one came and went');
  watch.stop();
  assert.equal(after({}), 3);
});

test('garbage is given back, where it is much', () => {
  shrinkHeap();
  const before = getHeapStatistics().total_heap_size;
  let garbage: object[] | undefined = Array.from({ length: 1_000_000 }, (_, n) => ({ n }));
  assert(garbage.length > 0 && getHeapStatistics().total_heap_size > before + 24 * 2 ** 20);
  garbage = undefined;
  shrinkHeap();
  assert(getHeapStatistics().total_heap_size < before + 24 * 2 ** 20);
});
