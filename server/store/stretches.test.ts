import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedUpTo, stretchesUpTo } from './stretches.ts';

test('what two stores have in common ends where one was imported from the other', () => {
  const first = [{ id: 'a', after: 0 }];
  const imported = [...first, { id: 'b', after: 100 }];
  const again = [...imported, { id: 'c', after: 150 }];
  assert.deepEqual(stretchesUpTo(again, 120), [
    { store: 'a', after: 0, to: 100 },
    { store: 'b', after: 100, to: 120 },
  ]);
  const cases = [
    [first, 500, imported, 90, 90],
    [first, 500, imported, 300, 100],
    [imported, 300, first, 500, 100],
    [imported, 300, again, 400, 150],
    [imported, 300, again, 140, 140],
    [first, 80, again, 400, 80],
    [first, 80, [{ id: 'x', after: 0 }], 400, 0],
    [[], 80, first, 400, 0],
  ] as const;
  for (const [one, to, other, upTo, shared] of cases)
    assert.equal(sharedUpTo(stretchesUpTo(one, to), stretchesUpTo(other, upTo)), shared);
});
