import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunksOf } from './rankings.ts';

/** The items of each chunk. */
function chunks(spans: readonly number[], most: number): number[][] {
  return [...chunksOf(Uint32Array.from(spans), spans.length / 2, most)].map(([some, count, items]) => {
    const rows: number[] = [];
    for (let span = 0; span < count; span++)
      for (let row = some[2 * span]; row < some[2 * span + 1]; row++) rows.push(row);
    assert.equal(rows.length, items);
    return rows;
  });
}

test('chunks have all items in their order, and no more than they may', () => {
  const cases: [spans: number[], most: number, sizes: number[]][] = [
    [[], 4, []],
    [[0, 4], 4, [4]],
    [[0, 5], 4, [4, 1]],
    [[0, 9], 4, [4, 4, 1]],
    [[0, 2, 5, 7, 9, 10], 4, [4, 1]],
    [[0, 1, 3, 12, 20, 21], 4, [1, 4, 4, 1, 1]],
    [[0, 0, 7, 9], 4, [2]],
  ];
  for (const [spans, most, sizes] of cases) {
    const found = chunks(spans, most);
    const [whole = []] = chunks(spans, 1000);
    assert.deepEqual(found.flat(), whole, `spans ${spans}`);
    assert.deepEqual(
      found.map(({ length }) => length),
      sizes,
      `spans ${spans}`,
    );
  }
});
