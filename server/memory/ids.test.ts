import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { hashBytes } from './hash.ts';
import { HashIndex } from './hash-index.ts';
import { ID_BYTES_MAX, type IdKey, Ids, TextKey } from './ids.ts';
import { loadHostKernels } from './kernels/host-kernels.ts';
import { Reclaimer } from './readers.ts';
import { highArena } from './testing/high-arena.ts';
import { lookAtEveryStore } from './testing/interleave.ts';
import { startThread } from './testing/threads.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);

/** A key as it lies in a message: between other bytes. */
function keyOf(id: string, namespace = 0): IdKey {
  const bytes = Buffer.from(`<<${id}>>`);
  return { bytes, start: 2, length: bytes.length - 4, namespace };
}

/** Ids that resemble each other, of all lengths, of all planes of Unicode. */
const anyId = fc.oneof(
  fc.constantFrom('a', 'aa', 'aaa', 'ab', 'ba', 'a\0', '\0a', 'é', 'e\u0301', '日本', '𝒳', 'u1', 'u10', 'u01'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  fc.integer({ min: 1, max: ID_BYTES_MAX }).map((length) => 'x'.repeat(length)),
);

test('it numbers ids as a Map would, and gives their text back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: anyId, namespace: fc.nat(2), obtain: fc.boolean() }), { maxLength: 200, size: 'max' }),
      (steps) => {
        const ids = Ids.create(arena, 99);
        const reader = new Ids(arena, structuredClone(ids.descriptor));
        const rows = new Map<string, number>();
        for (const { id, namespace, obtain } of steps) {
          const name = `${namespace}/${id}`;
          assert.equal(reader.find(keyOf(id, namespace)), rows.get(name) ?? -1);
          if (!obtain) continue;
          if (!rows.has(name)) rows.set(name, rows.size);
          assert.equal(ids.obtain(keyOf(id, namespace), reclaimer), rows.get(name));
        }
        assert.equal(reader.rows, rows.size);
        for (const [name, row] of rows) {
          const id = name.slice(2);
          assert.equal(reader.text(row), id);
          const { address, length } = reader.place(row);
          assert.deepEqual(Buffer.from(arena.u8.slice(address, address + length)), Buffer.from(id));
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('looking for an id changes nothing', () => {
  const ids = Ids.create(arena, 1);
  ids.obtain(keyOf('a'), reclaimer);
  const { usedBytes } = arena;
  const before = ids.hash(kernels, 0n);
  for (let n = 0; n < 5000; n++) assert.equal(ids.find(keyOf(`b${n}`)), -1);
  assert.equal(ids.rows, 1);
  assert.equal(arena.usedBytes, usedBytes);
  assert.equal(ids.hash(kernels, 0n), before);
});

test('thousands of ids are told apart, the longest included', () => {
  const ids = Ids.create(arena, 2);
  const text = (n: number) => `${'y'.repeat(n % (ID_BYTES_MAX - 5))}${n}`;
  for (let n = 0; n < 5000; n++) assert.equal(ids.obtain(keyOf(text(n)), reclaimer), n);
  for (let n = 0; n < 5000; n++) {
    assert.equal(ids.find(keyOf(text(n))), n);
    assert.equal(ids.text(n), text(n));
  }
});

test('ids of one hash are told apart, whatever they share', () => {
  const hashSeed = 77;
  const ids = Ids.create(arena, hashSeed);
  const index = new HashIndex(arena, ids.descriptor.index);
  const row = ids.obtain(keyOf('user-17'), reclaimer);
  const others = ['user-1', 'user-170', 'user-18', 'vser-17', 'use', ''].map((id) => keyOf(id));
  for (const key of [...others, keyOf('user-17', 1)]) {
    // As if the other id had the hash of this one.
    index.add(hashBytes(key.bytes, key.start, key.length, hashSeed ^ key.namespace), row, reclaimer);
    assert.equal(ids.find(key), -1);
  }
  assert.equal(ids.find(keyOf('user-17')), row);
});

test('a text that may be an id is a key; one that is too long is not', () => {
  const ids = Ids.create(arena, 3);
  ids.obtain(keyOf('€uro', 4), reclaimer);
  const key = new TextKey();
  const cases: [string, boolean][] = [
    ['', true],
    ['x'.repeat(256), true],
    ['x'.repeat(257), false],
    ['€'.repeat(85), true],
    ['€'.repeat(86), false],
    ['€'.repeat(256), false],
    ['𝒳'.repeat(64), true],
    ['𝒳'.repeat(65), false],
  ];
  for (const [id, fits] of cases) {
    assert.equal(key.set(id), fits, `${id.length} units, ${Buffer.byteLength(id)} bytes`);
    if (fits) assert.equal(key.length, Buffer.byteLength(id));
  }
  assert.ok(key.set('€uro', 4));
  assert.equal(ids.find(key), 0);
  assert.ok(key.set('€uro'));
  assert.equal(ids.find(key), -1);
});

test('the hash sees every byte of an id, its length, its namespace and its place in the order', () => {
  const hashOf = (...ids: [string, number][]) => {
    const made = Ids.create(arena, 5);
    for (const [id, namespace] of ids) made.obtain(keyOf(id, namespace), reclaimer);
    return made.hash(kernels, 0n);
  };
  const hashes = [
    hashOf(),
    hashOf(['ab', 0], ['cd', 0]),
    hashOf(['abc', 0], ['d', 0]),
    hashOf(['cd', 0], ['ab', 0]),
    hashOf(['ab', 1], ['cd', 0]),
    hashOf(['ab', 0], ['cd', 1]),
    hashOf(['ab', 0], ['ce', 0]),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
  const ids = Ids.create(arena, 5);
  for (const id of ['first', 'x'.repeat(256), 'last']) ids.obtain(keyOf(id), reclaimer);
  const before = ids.hash(kernels, 0n);
  for (let row = 0; row < 3; row++) {
    const { address, length } = ids.place(row);
    for (let at = address; at < address + length; at++) {
      arena.u8[at] ^= 1;
      assert.notEqual(ids.hash(kernels, 0n), before);
      arena.u8[at] ^= 1;
    }
  }
  assert.equal(ids.hash(kernels, 0n), before);
});

test('the hash is the same in every process: neither addresses nor the seed of the index count', () => {
  const hashes = [6, 7].map((hashSeed) => {
    arena.allocate(1000 * hashSeed);
    const ids = Ids.create(arena, hashSeed);
    for (let n = 0; n < 2000; n++) ids.obtain(keyOf(`user ${n}`, n % 2), reclaimer);
    return ids.hash(kernels, 0n);
  });
  assert.equal(hashes[0], hashes[1]);
});

test('an id that does not fit leaves no trace, and those before it stay', () => {
  for (let budget = 600; budget < 1400; budget += 7) {
    const small = Arena.create(2 ** 21);
    const own = new Reclaimer(small);
    const ids = Ids.create(small, 8);
    small.allocate(small.freeBytes - budget * 1024);
    let held = 0;
    const id = (n: number) => keyOf(`${'z'.repeat(200)}${n}`);
    assert.throws(
      () => {
        for (; ; held++) ids.obtain(id(held), own);
      },
      { reason: 'MEMORY_FULL' },
    );
    assert.equal(ids.rows, held);
    assert.equal(ids.find(id(held)), -1);
    for (let n = 0; n < held; n += 50) assert.equal(ids.find(id(n)), n);
    assert.throws(() => ids.obtain(id(held), own), { reason: 'MEMORY_FULL' });
    assert.equal(ids.rows, held);
  }
});

test('growth asks for no more than it said', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ more: fc.nat(3000), length: fc.integer({ min: 9, max: 256 }) }), { maxLength: 6 }),
      (batches) => {
        const own = Arena.create(2 ** 27);
        const ownReclaimer = new Reclaimer(own);
        const ids = Ids.create(own, 9);
        for (const { more, length } of batches) {
          const { usedBytes } = own;
          const bytes = ids.growthBytes(more);
          for (let n = 0; n < more; n++) ids.obtain(keyOf(`${ids.rows}`.padStart(length, '.')), ownReclaimer);
          assert.ok(own.usedBytes - usedBytes <= bytes);
        }
      },
    ),
    { numRuns: 10 },
  );
});

test('at every moment each row has its id', () => {
  const ids = Ids.create(arena, 11);
  const reader = new Ids(arena, ids.descriptor);
  for (let row = 0; row < 2000; row++) {
    lookAtEveryStore(
      () => ids.obtain(keyOf(`id ${row}`), reclaimer),
      () => {
        if (reader.rows > 0) assert.equal(reader.text(reader.rows - 1), `id ${reader.rows - 1}`);
        const found = reader.find(keyOf(`id ${row}`));
        assert.ok(found === -1 || (found === row && row < reader.rows));
      },
    );
  }
});

test('another thread that sees a row sees its id', async () => {
  const own = Arena.create(2 ** 28);
  const ownReclaimer = new Reclaimer(own);
  const ids = Ids.create(own, 10);
  ids.obtain(keyOf('id 0'), ownReclaimer);
  const thread = await startThread(own, 'readNewestId', { ids: ids.descriptor });
  for (let row = 1; row < 50_000 || thread.seen < 10; row++) ids.obtain(keyOf(`id ${row}`), ownReclaimer);
  await thread.finish();
});
