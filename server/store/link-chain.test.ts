import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstRevisionOf, linkName, requireUnbroken } from './link-chain.ts';

test('a link is named after its first revision, so that names sort as revisions do', () => {
  assert.equal(linkName(4711), '00000000000000004711.mdb');
  assert.equal(firstRevisionOf(linkName(4711)), 4711);
  for (const name of ['1.mdb', `${linkName(1)}-lock`, `${linkName(1)}.new`, 'x'])
    assert.equal(firstRevisionOf(name), undefined);
});

test('a chain without gap or overlap is unbroken', () => {
  requireUnbroken([]);
  requireUnbroken([
    { path: 'a', first: 5, last: 7 },
    { path: 'b', first: 8, last: 8 },
    { path: 'c', first: 9, last: 8 },
  ]);
});

test('a gap and an overlap name their revision', () => {
  const a = { path: 'a', first: 5, last: 7 };
  assert.throws(() => requireUnbroken([a, { path: 'b', first: 10, last: 10 }]), {
    reason: 'STORE_DAMAGED',
    metadata: { revision: '8' },
    message: `the journal is broken: revisions 8..9 are missing between a and b; restore ${linkName(8)} and what follows it from a backup`,
  });
  assert.throws(() => requireUnbroken([a, { path: 'b', first: 9, last: 9 }]), /revisions 8\.\.8 are missing/);
  assert.throws(() => requireUnbroken([a, { path: 'b', first: 7, last: 9 }]), {
    reason: 'STORE_DAMAGED',
    metadata: { revision: '7' },
    message: /revision 7 is in a and again in b; move away/,
  });
});
