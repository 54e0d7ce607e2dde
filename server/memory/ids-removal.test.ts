import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { Ids, TextKey } from './ids.ts';
import { loadHostKernels } from './kernels/host-kernels.ts';
import { Reclaimer } from './readers.ts';
import { highArena } from './testing/high-arena.ts';

/** Ids that are taken out, and rows that are nobody's from the start. */

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);

function keyOf(id: string): TextKey {
  const key = new TextKey();
  assert.ok(key.set(id));
  return key;
}

const anyStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ obtain: fc.constantFrom('a', 'aa', 'é', 'x'.repeat(256), 'x'.repeat(255), '日本') }),
  },
  { weight: 2, arbitrary: fc.record({ remove: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant({ addNobody: true }) },
);

test('rows keep their numbers, a removed id is found no more, and comes back as a new row', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60, size: 'max' }), (steps) => {
      const ids = Ids.create(arena, 5);
      const rows: string[] = [];
      for (const step of steps) {
        if ('obtain' in step) {
          const known = rows.indexOf(step.obtain);
          assert.equal(ids.obtain(keyOf(step.obtain), reclaimer), known < 0 ? rows.length : known);
          if (known < 0) rows.push(step.obtain);
        } else if ('addNobody' in step) {
          assert.equal(ids.addNobody(), rows.length);
          rows.push('');
        } else if (step.remove < rows.length && rows[step.remove] !== '') {
          ids.remove(step.remove);
          rows[step.remove] = '';
        }
        assert.deepEqual(told(ids), rows);
        for (const id of ['a', 'aa', 'é']) assert.equal(ids.find(keyOf(id)), rows.indexOf(id));
      }
      const restored = restore(ids);
      assert.deepEqual(told(restored), rows);
      for (const [row, id] of rows.entries()) if (id !== '') assert.equal(restored.find(keyOf(id)), row);
      assert.equal(restored.find(keyOf('never')), -1);
    }),
    { numRuns: 60 },
  );
});

function told(ids: Ids): string[] {
  return Array.from({ length: ids.rows }, (_, row) => {
    assert.equal(ids.isNobody(row), ids.text(row) === '');
    return ids.text(row);
  });
}

/** As a checkpoint brings them back. */
function restore(ids: Ids): Ids {
  const restored = Ids.create(arena, 6);
  const from = ids.stateTables();
  for (const [name, table] of Object.entries(restored.stateTables())) table.copy(from[name]);
  restored.rebuild(reclaimer);
  assert.equal(restored.hash(kernels, 1n), ids.hash(kernels, 1n));
  return restored;
}

test('nothing of the text is left in the memory', () => {
  const own = Arena.create(2 ** 24);
  const ids = Ids.create(own, 7);
  const ownReclaimer = new Reclaimer(own);
  for (const id of ['before', 'a text that is looked for', 'after']) ids.obtain(keyOf(id), ownReclaimer);
  const has = () => Buffer.from(own.u8.slice(0, 2 ** 22)).includes('is looked');
  assert.ok(has());
  ids.remove(1);
  assert.ok(!has());
  assert.deepEqual(told(ids), ['before', '', 'after']);
});
