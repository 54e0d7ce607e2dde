import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findFiles, type Held, NOTHING_HELD, overlap, unite } from './held.ts';

const held = (to: Readonly<Record<string, number>>, ...files: string[]): Held => {
  return { learned: Object.entries(to).map(([store, last]) => ({ store, after: 0, to: last })), files };
};

test('of a store the most that was learned counts, and each file once', () => {
  assert.deepEqual(unite(held({ a: 5, b: 2 }, 'x', 'y'), NOTHING_HELD, held({ a: 3, b: 4 }, 'y', 'x')), {
    ...held({ a: 5, b: 4 }, 'y', 'x'),
  });
  assert.equal(overlap(held({ a: 5 }, 'x'), held({ b: 5 }, 'y')), false);
  assert.equal(overlap(held({ a: 5 }), held({ b: 1, a: 1 })), true);
  assert.equal(overlap(held({}, 'x', 'y'), held({ a: 1 }, 'y')), true);
});

test('there are only so many, and the latest stay', () => {
  const all = Array.from({ length: 300 }, (_, n) => held({ [`${n}`]: 1 }, `${n}`));
  const { learned, files } = unite(...all);
  assert.deepEqual([learned.length, learned.at(-1)?.store], [64, '299']);
  assert.deepEqual([files.length, files.at(-1)], [256, '299']);
  assert.equal(findFiles(['f'.repeat(64)])?.length, 1);
  for (const wrong of [undefined, 'f', ['F'.repeat(64)], Array(257).fill('f'.repeat(64))])
    assert.equal(findFiles(wrong), undefined);
});
