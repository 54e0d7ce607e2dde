import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COUNT, f32, factors, gaussian, type Meaning, meanBy, OWN, u32 } from '../../plugins/contract/index.ts';
import { fusionFaults } from './fusion.ts';

const specs = {
  users: { index: 'user', columns: { vector: f32(2), ratings: u32() } },
  items: { index: 'item', columns: { bias: f32(), variance: f32(), ratings: u32() } },
  pages: { index: 'pool', perEvent: 1, columns: { key: u32() } },
} as const;
const meanings: Record<string, Meaning> = {
  'users.vector': factors('taste', 'left', 'users.ratings'),
  'users.ratings': COUNT,
  'items.bias': gaussian('items.variance'),
  'items.variance': { as: 'covariance' },
  'items.ratings': COUNT,
  'pages.key': OWN,
};

test('a declaration covers all columns, and what it needs is there, with the same rows', () => {
  assert.deepEqual(fusionFaults(specs, meanings), []);
  const cases: [change: Record<string, Meaning | undefined>, fault: RegExp][] = [
    [{ 'users.vector': undefined }, /^users.vector is not declared$/],
    [{ 'users.name': OWN }, /^users.name is no column$/],
    [{ 'users.vector': factors('taste', 'left', 'items.ratings') }, /different rows/],
    [{ 'users.vector': meanBy('users.vector') }, /needs users.vector, which is declared as no count/],
    [{ 'items.variance': OWN }, /items.bias needs items.variance, which is declared as no covariance/],
    [{ 'items.bias': { as: 'sum', exponent: 'items.variance' } }, /declared as no exponent/],
    [{ 'pages.key': COUNT }, /pages.key is of a pool/],
  ];
  for (const [change, fault] of cases) {
    const changed = Object.entries({ ...meanings, ...change }).filter(([, meaning]) => meaning);
    const faults = fusionFaults(specs, Object.fromEntries(changed) as Record<string, Meaning>);
    assert.equal(faults.length, 1, faults.join('; '));
    assert.match(faults[0], fault);
  }
});
