import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './arena.ts';
import { Scratch } from './scratch.ts';

test('what there is no room for leaves the memory that it had', () => {
  const arena = Arena.create(2 ** 20);
  const scratch = new Scratch(arena);
  const address = scratch.reserve(5000);
  const taken = arena.usedBytes;
  for (let time = 0; time < 2; time++) {
    assert.throws(() => scratch.reserve(2 ** 22), { reason: 'MEMORY_FULL' });
    assert.deepEqual([scratch.reserve(8192), arena.usedBytes], [address, taken]);
  }
  scratch.release();
  scratch.release();
  assert.deepEqual([arena.allocate(8192), scratch.reserve(8192) === address], [address, false]);
});
