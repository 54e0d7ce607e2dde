import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../arena.ts';
import { loadHostKernels } from '../kernels/host-kernels.ts';
import { Reclaimer } from '../readers.ts';
import { highArena } from '../testing/high-arena.ts';
import { lookAtEveryStore } from '../testing/interleave.ts';
import { startThread } from '../testing/threads.ts';
import { CHANGES_KEPT } from './changes.ts';
import { NUMBER_WORDS, numberCountOf, numbersOf, termCountOf, termsOf } from './feature-blocks.ts';
import { type AttributeValue, countValues, type FeatureValues, isList } from './feature-values.ts';
import { Features } from './features.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);
let hashSeed = 1;

function valuesOf(some: Partial<FeatureValues> = {}): FeatureValues {
  return {
    message: new Uint8Array(),
    categories: [],
    labels: [],
    attributes: new Map(),
    embeddings: new Map(),
    available: true,
    fromSeconds: 0,
    untilSeconds: Number.POSITIVE_INFINITY,
    ...some,
  };
}

const create = (own = arena) => Features.create(own, hashSeed++);

/** What the index of a row holds, as text: fields, `field=text`, and numbers. */
function indexOf(features: Features, row: number): string[] {
  const { u32: words, f64: doubles } = arena;
  const { terms } = features;
  const block = features.block(row);
  const found: string[] = [];
  for (let n = 0; n < termCountOf(words, block); n++) {
    const term = words[termsOf(words, block) + n];
    const field = terms.fieldOf(term);
    found.push(field < 0 ? terms.text(term) : `${terms.text(field)}="${terms.text(term)}"`);
  }
  for (let n = 0; n < numberCountOf(words, block); n++) {
    const at = numbersOf(block) + NUMBER_WORDS * n;
    found.push(`${terms.text(words[at + 2])}=${doubles[at >>> 1]}`);
  }
  return found.sort();
}

/** The same from the values themselves. */
function expectedIndex({ categories, labels, attributes }: FeatureValues): string[] {
  const fields = new Map<string, AttributeValue>([...attributes].map(([name, value]) => [`attributes.${name}`, value]));
  if (categories.length > 0) fields.set('categories', categories);
  if (labels.length > 0) fields.set('labels', labels);
  const texts = new Set<string>();
  const numbers: string[] = [];
  for (const [field, value] of fields) {
    if (Buffer.byteLength(field) > 256) continue;
    texts.add(field);
    for (const member of isList(value) ? value : [value]) {
      if (typeof member === 'number') numbers.push(`${field}=${member}`);
      else if (Buffer.byteLength(String(member)) <= 256) texts.add(`${field}="${member}"`);
    }
  }
  return [...texts, ...numbers].sort();
}

const anyText = fc.oneof(
  fc.constantFrom('', 'drama', 'true', '1990', 'é', '日本', 'x'.repeat(256), 'x'.repeat(257), 'categories'),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const anyValue: fc.Arbitrary<AttributeValue> = fc.oneof(
  anyText,
  anyNumber,
  fc.boolean(),
  fc.array(fc.oneof(anyText, anyNumber), { maxLength: 4 }),
);
const anyValues: fc.Arbitrary<FeatureValues> = fc.record({
  message: fc.uint8Array({ maxLength: 300, size: 'max' }),
  categories: fc.array(anyText, { maxLength: 4 }),
  labels: fc.array(anyText, { maxLength: 4 }),
  attributes: fc.array(fc.tuple(anyText, anyValue), { maxLength: 4 }).map((entries) => new Map(entries)),
  embeddings: fc.constant(new Map<string, number>()),
  available: fc.boolean(),
  fromSeconds: fc.constantFrom(0, 0, 100),
  untilSeconds: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 200),
});
const anyStep = fc.record({ row: fc.nat(12), values: fc.option(anyValues) });
const anySteps = fc.array(anyStep, { maxLength: 40, size: 'max' });

test('rows are what was written last, for readers elsewhere too', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const features = create();
      const reader = new Features(arena, structuredClone(features.descriptor));
      const rows = new Map<number, FeatureValues | null>();
      for (const { row, values } of steps) {
        if (values) features.write(row, values, reclaimer);
        else features.remove(row, reclaimer);
        rows.set(row, values);
      }
      for (let row = 0; row < 14; row++) {
        const values = rows.get(row) ?? undefined;
        assert.deepEqual(reader.message(row), values?.message);
        assert.equal(reader.isDeleted(row), rows.get(row) === null);
        assert.equal(reader.availability.isKnown(row), values !== undefined);
        assert.deepEqual(indexOf(reader, row), values ? expectedIndex(values) : []);
      }
      assert.equal(reader.changes.serial, steps.length);
    }),
  );
});

test('rows are available as they say, and those that are not are counted', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const features = create();
      const rows = new Map<number, FeatureValues | null>();
      for (const { row, values } of steps) {
        if (values) features.write(row, values, reclaimer);
        else features.remove(row, reclaimer);
        rows.set(row, values);
      }
      const { availability } = features;
      const isFree = (values: FeatureValues | null) =>
        values?.available && values.fromSeconds === 0 && values.untilSeconds === Number.POSITIVE_INFINITY;
      assert.equal(availability.restrictedCount, [...rows.values()].filter((values) => !isFree(values)).length);
      const scores = arena.allocate(4 * 14);
      for (const now of [0, 99.9, 100, 199.9, 200, 1e10]) {
        arena.f32.fill(1, scores >>> 2, (scores >>> 2) + 14);
        availability.exclude(kernels, scores, 14, now);
        for (let row = 0; row < 14; row++) {
          const values = rows.get(row);
          const isOpen = values?.available && values.fromSeconds <= now && now < values.untilSeconds;
          const expected = values === undefined || isOpen === true;
          assert.equal(availability.isAvailable(row, now), expected);
          assert.equal(arena.f32[(scores >>> 2) + row], expected ? 1 : Number.NEGATIVE_INFINITY);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('rows of several segments are left out, and none beyond those asked for', () => {
  const features = create();
  const rows = 25_000;
  for (let row = 0; row < rows; row += 3) features.remove(row, reclaimer);
  const scores = arena.allocate(4 * (rows + 10));
  arena.f32.fill(1, scores >>> 2, (scores >>> 2) + rows + 10);
  features.availability.exclude(kernels, scores, rows - 2, 0);
  for (let row = 0; row < rows + 10; row++) {
    const expected = row % 3 === 0 && row < rows - 2 ? Number.NEGATIVE_INFINITY : 1;
    assert.equal(arena.f32[(scores >>> 2) + row], expected, `row ${row}`);
  }
});

test('the length of an embedding is fixed by the first of its name', () => {
  const features = create();
  assert.equal(features.embeddingLength('text'), undefined);
  features.write(
    0,
    valuesOf({
      embeddings: new Map([
        ['text', 3],
        ['image', 2],
      ]),
    }),
    reclaimer,
  );
  features.write(1, valuesOf({ embeddings: new Map([['text', 3]]) }), reclaimer);
  features.remove(0, reclaimer);
  assert.deepEqual([features.embeddingLength('text'), features.embeddingLength('image')], [3, 2]);
  assert.equal(features.embeddingLength('x'.repeat(300)), undefined);
  const longer = valuesOf({ embeddings: new Map([['text', 4]]) });
  assert.throws(() => features.write(2, longer, reclaimer), { name: 'AssertionError' });
});

test('it tells which rows changed, as long as they are not too many', () => {
  const features = create();
  const { changes } = features;
  const start = changes.serial;
  assert.deepEqual([...(changes.since(start) ?? [-1])], []);
  features.write(5, valuesOf(), reclaimer);
  features.remove(2, reclaimer);
  features.write(5, valuesOf(), reclaimer);
  assert.deepEqual([...(changes.since(start) ?? [])], [5, 2, 5]);
  for (let n = 4; n < CHANGES_KEPT; n++) changes.add(n);
  assert.equal(changes.since(start)?.length, CHANGES_KEPT - 1);
  changes.add(7);
  assert.equal(changes.since(start), undefined);
  assert.deepEqual([...(changes.since(start + CHANGES_KEPT - 1) ?? [])], [7]);
});

test('changes are told across the wrap of their number', () => {
  const { changes } = create();
  arena.u32[changes.descriptor.address >>> 2] = 0xffff_fffe;
  const start = changes.serial;
  for (const row of [1, 2, 3, 4]) changes.add(row);
  assert.equal(changes.serial, 2);
  assert.deepEqual([...(changes.since(start) ?? [])], [1, 2, 3, 4]);
});

test('the hash sees every byte that was told, and nothing that differs between processes', () => {
  const base = valuesOf({
    message: Uint8Array.of(1, 2, 3),
    categories: ['drama'],
    labels: ['new'],
    attributes: new Map<string, AttributeValue>([['year', 1990]]),
    embeddings: new Map([['text', 3]]),
  });
  const hashOf = (...rows: (FeatureValues | undefined)[]) => {
    arena.allocate(64 * hashSeed);
    const features = create();
    for (const [row, values] of rows.entries()) {
      if (values) features.write(row, values, reclaimer);
      else features.remove(row, reclaimer);
    }
    return features.hash(kernels, 0n);
  };
  assert.equal(hashOf(base, base), hashOf(base, base));
  const variants: Partial<FeatureValues>[] = [
    { message: Uint8Array.of(1, 2, 4) },
    { message: Uint8Array.of(1, 2, 3, 0) },
    { categories: ['dramas'] },
    { categories: [], labels: ['drama', 'new'] },
    { labels: ['old'] },
    { attributes: new Map([['year', 1991]]) },
    { attributes: new Map([['years', 1990]]) },
    { attributes: new Map([['year', '1990']]) },
    { attributes: new Map([['year', [1990, 1990]]]) },
    { embeddings: new Map([['text', 4]]) },
    { embeddings: new Map([['texts', 3]]) },
    { available: false },
    { fromSeconds: 1 },
    { untilSeconds: 1 },
  ];
  const hashes = [
    hashOf(),
    hashOf(base),
    hashOf(base, base),
    hashOf(base, undefined),
    hashOf(undefined, base),
    hashOf(undefined),
    ...variants.map((variant) => hashOf({ ...base, ...variant })),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
});

test('writing asks for no more memory than was said before', () => {
  const anyBatch = fc.record({ rows: fc.integer({ min: 1, max: 400 }), values: anyValues, distinct: fc.boolean() });
  fc.assert(
    fc.property(fc.array(anyBatch, { maxLength: 5 }), (batches) => {
      const own = Arena.create(2 ** 27);
      const ownReclaimer = new Reclaimer(own);
      const features = create(own);
      for (const [batch, { rows, values, distinct }] of batches.entries()) {
        const messages = Array.from({ length: rows }, (_, n) =>
          distinct ? { ...values, labels: [`${batch}/${n}`.padEnd(256, '.'), ...values.labels] } : values,
        );
        const { usedBytes } = own;
        const bytes = features.growthBytes({
          rows: 100 * batch + rows,
          messages: rows,
          messageBytes: messages.reduce((sum, { message }) => sum + message.length, 0),
          values: messages.reduce((sum, message) => sum + countValues(message), 0),
        });
        for (const [n, message] of messages.entries()) features.write(100 * batch + n, message, ownReclaimer);
        assert.ok(own.usedBytes - usedBytes <= bytes, `${own.usedBytes - usedBytes} > ${bytes}`);
      }
    }),
    { numRuns: 20 },
  );
});

test('a row that is written over and over, at any length, takes a bounded part of the memory', () => {
  const own = Arena.create(2 ** 25);
  const ownReclaimer = new Reclaimer(own);
  const features = create(own);
  const write = (n: number) => {
    features.write(0, valuesOf({ message: new Uint8Array((n * 7919) % 20_000) }), ownReclaimer);
    ownReclaimer.collect();
  };
  write(0);
  const start = own.usedBytes;
  for (let n = 1; n < 5000; n++) write(n);
  const { usedBytes } = own;
  // One block of each size would take 150 KiB; one of each multiple of 64 bytes, 3 MiB.
  assert.ok(usedBytes - start < 400_000, `${usedBytes - start} bytes`);
  for (let n = 5000; n < 20_000; n++) write(n);
  assert.equal(own.usedBytes, usedBytes);
});

test('what does not fit changes nothing of the row', () => {
  for (let budget = 100; budget < 1000; budget += 37) {
    const small = Arena.create(2 ** 22);
    const own = new Reclaimer(small);
    const features = create(small);
    small.allocate(small.freeBytes - budget * 1024);
    const values = (n: number) => valuesOf({ message: new Uint8Array(3000).fill(n), labels: [`${n}`.padEnd(250)] });
    let held = 0;
    assert.throws(
      () => {
        for (; ; held++) features.write(held, values(held), own);
      },
      { reason: 'MEMORY_FULL' },
    );
    assert.equal(features.rows, held);
    assert.equal(features.changes.serial, held);
    if (held === 0) continue;
    assert.throws(() => features.write(0, values(77), own), { reason: 'MEMORY_FULL' });
    assert.deepEqual(features.message(0), values(0).message);
  }
});

test('at every moment a row is as it was or as it will be, and what is counted is never too little', () => {
  const features = create();
  const reader = new Features(arena, features.descriptor);
  const scores = arena.allocate(4);
  const states = [
    valuesOf({ message: Uint8Array.of(1), labels: ['a'], fromSeconds: 100, untilSeconds: 200 }),
    valuesOf({ message: Uint8Array.of(2, 2), labels: ['b', 'c'], fromSeconds: 300, untilSeconds: 400 }),
    undefined,
    valuesOf({ message: Uint8Array.of(3), available: false }),
  ];
  const seen = (values?: FeatureValues) => JSON.stringify([values?.message, values ? expectedIndex(values) : []]);
  let before = seen();
  for (let round = 0; round < 40; round++) {
    const values = states[(round * 3 + (round >> 2)) % states.length];
    const after = seen(values);
    lookAtEveryStore(
      () => (values ? features.write(0, values, reclaimer) : features.remove(0, reclaimer)),
      () => {
        const now = JSON.stringify([reader.message(0), indexOf(reader, 0)]);
        assert.ok(now === before || now === after, now);
        if (round === 0) return;
        for (const time of [50, 250, 450]) {
          assert.ok(!reader.availability.isAvailable(0, time), `open at ${time}`);
          arena.f32[scores >>> 2] = 1;
          reader.availability.exclude(kernels, scores, 1, time);
          assert.equal(arena.f32[scores >>> 2], Number.NEGATIVE_INFINITY, `open at ${time}`);
        }
      },
    );
    before = after;
  }
});

test('another thread reads whole messages with the terms that belong to them', async () => {
  const own = Arena.create(2 ** 26);
  const ownReclaimer = new Reclaimer(own);
  const features = create(own);
  const write = (n: number) => {
    const message = new Uint8Array(1 + (n % 700)).fill(n % 251);
    features.write(n % 3, valuesOf({ message, labels: [`${message[0]}`] }), ownReclaimer);
  };
  write(0);
  const thread = await startThread(own, 'readFeatures', { features: features.descriptor });
  for (let n = 1; n < 20_000 || thread.seen < 10; n++) write(n);
  await thread.finish();
});
