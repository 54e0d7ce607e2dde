import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kinds, UNCONFIGURED } from './kinds.ts';

const NAMES = ['', 'click', 'buy'];
const named = { kindName: (kind: number) => NAMES[kind] ?? '' };

test('a kind means what was configured last', () => {
  const kinds = new Kinds(named);
  assert.deepEqual(kinds.of(1), UNCONFIGURED);
  assert.equal(kinds.hiding, false);
  const click = { weight: 0.2, hides: false };
  const buy = { weight: 3, hides: true };
  kinds.configure({ click, buy });
  assert.deepEqual([kinds.of(1), kinds.of(2), kinds.hiding], [click, buy, true]);
  kinds.configure({ click: buy });
  assert.deepEqual([kinds.of(1), kinds.of(2), kinds.hiding], [buy, UNCONFIGURED, true]);
  kinds.configure({});
  assert.deepEqual([kinds.of(1), kinds.hiding], [UNCONFIGURED, false]);
});

test('names that objects have of themselves mean nothing', () => {
  const kinds = new Kinds({ kindName: () => 'constructor' });
  assert.deepEqual(kinds.of(1), UNCONFIGURED);
});

test('a kind that gets its name late means what its name says', () => {
  const names = [''];
  const kinds = new Kinds({ kindName: (kind) => names[kind] ?? '' });
  const click = { weight: 0.2, hides: true };
  kinds.configure({ click });
  assert.deepEqual(kinds.of(1), UNCONFIGURED);
  names.push('click');
  assert.deepEqual(kinds.of(1), click);
});
