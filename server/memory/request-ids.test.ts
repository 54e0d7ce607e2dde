import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { loadHostKernels } from './kernels/host-kernels.ts';
import { Reclaimer } from './readers.ts';
import {
  DIGEST_BYTES,
  REQUEST_ID_AGE_MAX_MS,
  REQUEST_ID_BYTES_MAX,
  REQUEST_IDS_MAX,
  type RequestEntry,
  RequestIds,
  type RequestKey,
  requestIdsMax,
} from './request-ids.ts';
import { highArena } from './testing/high-arena.ts';
import { requireSavedAsItWas } from './testing/saved.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);

const keyOf = (id: string, namespace = 0): RequestKey => ({ id: Buffer.from(id), namespace });

/** An entry, different in everything for each `n`. */
function entryOf(id: string, n: number, namespace = 0): RequestEntry {
  const digest = Buffer.alloc(DIGEST_BYTES, n + 1);
  return { ...keyOf(id, namespace), digest, revision: 2 ** 40 + n, accepted: n, receivedAtMs: n * 1000 };
}

test('it remembers the last requests, and of each id the last one', () => {
  const step = fc.record({ id: fc.nat(9).map((n) => `request-${n}`), namespace: fc.nat(1), add: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(step, { maxLength: 100, size: 'max' }), (max, steps) => {
      const requests = new RequestIds(arena, 3, max);
      // A place is taken by each entry; one whose id comes again is forgotten, and keeps its place.
      const places: { name: string; entry: RequestEntry }[] = [];
      for (const [n, { id, namespace, add }] of steps.entries()) {
        const name = `${namespace}/${id}`;
        const held = places.slice(-max).findLast((place) => place.name === name);
        const found = requests.find(keyOf(id, namespace), 0);
        if (held === undefined) assert.equal(found, undefined);
        else {
          const { digest, id } = found ?? { digest: [], id: [] };
          assert.deepEqual({ ...found, digest: Buffer.from(digest), id: Buffer.from(id) }, held.entry);
        }
        if (!add) continue;
        const entry = entryOf(id, n, namespace);
        requests.add(entry, reclaimer);
        places.push({ name, entry });
      }
    }),
  );
});

test('a request is remembered for 24 hours', () => {
  const requests = new RequestIds(arena, 3);
  requests.add(entryOf('a', 50), reclaimer);
  const received = 50_000;
  assert.ok(requests.find(keyOf('a'), received - 1));
  assert.ok(requests.find(keyOf('a'), received + REQUEST_ID_AGE_MAX_MS));
  assert.equal(requests.find(keyOf('a'), received + REQUEST_ID_AGE_MAX_MS + 1), undefined);
  requests.add({ ...entryOf('a', 60), receivedAtMs: received + REQUEST_ID_AGE_MAX_MS + 2 }, reclaimer);
  assert.equal(requests.find(keyOf('a'), received + REQUEST_ID_AGE_MAX_MS + 2)?.revision, 2 ** 40 + 60);
});

test('ids are compared whole: all 36 bytes, prefixes, zeros', () => {
  const requests = new RequestIds(arena, 3);
  const longest = '0123456789abcdef0123456789abcdef0123';
  assert.equal(longest.length, REQUEST_ID_BYTES_MAX);
  const ids = [longest, `${longest.slice(0, -1)}x`, longest.slice(0, -1), `x${longest.slice(1)}`, '0', '0\0', '00'];
  for (const [n, id] of ids.entries()) requests.add(entryOf(id, n), reclaimer);
  for (const [n, id] of ids.entries()) assert.equal(requests.find(keyOf(id), 0)?.accepted, n, id);
  assert.equal(requests.find(keyOf('000'), 0), undefined);
  assert.equal(requests.find(keyOf(longest, 1), 0), undefined);
});

test('what is no request id is refused, and changes nothing', () => {
  const requests = new RequestIds(arena, 3);
  const before = requests.hash(kernels, 0n);
  for (const id of ['', 'x'.repeat(37)])
    assert.throws(() => requests.add(entryOf(id, 1), reclaimer), /a request id of/);
  assert.equal(requests.hash(kernels, 0n), before);
});

test('the hash sees every byte of an entry, and how many there were', () => {
  let hashSeed = 0;
  const hashOf = (...entries: RequestEntry[]) => {
    const requests = new RequestIds(arena, hashSeed++, 4);
    for (const entry of entries) requests.add(entry, reclaimer);
    return requests.hash(kernels, 0n);
  };
  const entry = entryOf('an-id', 1);
  const flips = Array.from({ length: DIGEST_BYTES }, (_, n) => Buffer.from(entry.digest).fill(0, n, n + 1));
  const hashes = [
    hashOf(),
    hashOf(entry),
    hashOf(entry, entry),
    hashOf(entryOf('an-ie', 1)),
    hashOf({ ...entry, namespace: 1 }),
    hashOf({ ...entry, revision: 5 }),
    hashOf({ ...entry, accepted: 5 }),
    hashOf({ ...entry, receivedAtMs: 5 }),
    ...flips.map((digest) => hashOf({ ...entry, digest })),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(hashOf(entry), hashOf(entry));
});

test('a forgotten id leaves no byte behind', () => {
  const requests = new RequestIds(arena, 3, 4);
  const before = arena.usedBytes;
  const fresh = new RequestIds(arena, 3, 4);
  requests.add(entryOf('secret-secret-secret-secret-secret', 1), reclaimer);
  for (let n = 0; n < 4; n++) requests.add(entryOf(`${n}`, n), reclaimer);
  const bytes = Buffer.from(arena.u8.slice(before - 2 ** 20, arena.usedBytes));
  assert.ok(bytes.includes('3'), 'the last one is there');
  assert.ok(!bytes.includes('secret'));
  assert.ok(fresh.bytes === 0 && requests.bytes > 0);
});

test('remembering never asks for memory', () => {
  const own = Arena.create(2 ** 26);
  const ownReclaimer = new Reclaimer(own);
  const requests = new RequestIds(own, 3, 20_000);
  const { usedBytes } = own;
  for (let n = 0; n < 60_000; n++) requests.add(entryOf(`id-${n}`, n), ownReclaimer);
  assert.equal(own.usedBytes, usedBytes);
});

test('a small budget remembers fewer', () => {
  assert.equal(requestIdsMax(4 * 2 ** 30), REQUEST_IDS_MAX);
  assert.equal(requestIdsMax(64 * 2 ** 20), 32_768);
});

test('a checkpoint has them as they were when it began, also places that were empty', () => {
  const own = Arena.create(2 ** 23);
  const requests = new RequestIds(own, 3, 3);
  const added = new Reclaimer(own);
  // The second place is empty from then on: the same id came again.
  for (const [n, id] of ['a', 'b', 'b'].entries()) requests.add(entryOf(id, n), added);
  const { entries, state } = requests.stateTables();
  let n = 3;
  for (const table of [entries, state]) {
    requireSavedAsItWas(own, table, () => {
      for (const id of ['c', 'd']) requests.add(entryOf(id, n++), added);
    });
  }
});

test('restored with room for fewer, it knows the latest; with room for more, all', () => {
  for (const [max, kept] of [
    [3, ['e', 'f', 'g']],
    [5, ['c', 'd', 'e', 'f', 'g']],
    [9, ['c', 'd', 'e', 'f', 'g']],
  ] as const) {
    const requests = new RequestIds(arena, 3, 5);
    for (const [n, id] of [...'abcdefg'].entries()) requests.add(entryOf(id, n), reclaimer);
    const restored = new RequestIds(arena, 4, max);
    const tables = requests.stateTables();
    for (const [name, table] of Object.entries(restored.stateTables())) {
      const from = tables[name];
      const start = from.column(Object.keys(from.columns)[0])(0);
      table.restore(from.rows, (_, into) => into.set(arena.u8.subarray(start, start + into.length)));
    }
    restored.rebuild(reclaimer);
    const known = () => [...'abcdefghijk'].filter((id) => restored.find(keyOf(id), 10_000));
    assert.deepEqual(known(), kept);
    for (const id of kept) assert.deepEqual(restored.find(keyOf(id), 0), requests.find(keyOf(id), 0));
    for (const [n, id] of [...'hijk'].entries()) restored.add(entryOf(id, 10 + n), reclaimer);
    assert.deepEqual(known(), [...kept, ...'hijk'].slice(-max));
  }
});

test('of records before a number, those are found whose id has a text in it', () => {
  const requests = new RequestIds(arena, 3, 8);
  for (const [n, id] of ['of-ann', 'ann', 'an', 'of-bob', 'ann-7', 'ann-gone'].entries())
    requests.add(entryOf(id, n + 1), reclaimer);
  const revisionOf = (n: number) => entryOf('x', n).revision;
  requests.forget(new Set([revisionOf(6)]));
  assert.deepEqual(requests.naming('ann', revisionOf(5)), [1, 2].map(revisionOf));
  assert.deepEqual(requests.naming('ann', revisionOf(7)), [1, 2, 5].map(revisionOf));
  assert.deepEqual(requests.naming('ann', 1), []);
});

test('the requests of some records are forgotten, those of others are not, and their places are used in turn', () => {
  const requests = new RequestIds(arena, 3, 4);
  const entries = [1, 2, 3].map((n) => entryOf(`request-${n}`, n));
  for (const entry of entries) requests.add(entry, reclaimer);
  const gone = new Set([entries[0].revision, entries[2].revision, 7]);
  assert.equal(requests.remembered(gone).length, 2);
  requests.forget(gone);
  assert.deepEqual(requests.remembered(gone), []);
  const isFound = (n: number) => requests.find(keyOf(`request-${n}`), 0) !== undefined;
  assert.deepEqual([1, 2, 3].map(isFound), [false, true, false]);
  // A place is taken by each entry, also where one was forgotten.
  for (const n of [4, 5, 1]) requests.add(entryOf(`request-${n}`, n), reclaimer);
  assert.deepEqual([1, 2, 3, 4, 5].map(isFound), [true, false, false, true, true]);
});
