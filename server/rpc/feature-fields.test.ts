import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Item } from '../../proto/gen/accrete/v1/catalog.ts';
import { AccreteError } from '../errors.ts';
import { checkItem, checkList, checkMask, ITEM_FIELDS, UPSERT_MAX } from './feature-fields.ts';
import { Fields } from './fields.ts';

/** The paths of what `check` refuses. */
function refused(check: (fields: Fields) => void): string[] {
  const fields = new Fields();
  check(fields);
  try {
    fields.check();
    return [];
  } catch (error) {
    assert(error instanceof AccreteError);
    return error.violations.map(({ field }) => field);
  }
}

const ofItem = (item: Partial<Item>) =>
  refused((fields) => checkItem(fields, 'i', Item.fromPartial({ itemId: 'x', ...item })));
const words = (count: number, bytes = 1) => Array.from({ length: count }, (_, n) => String(n % 10).repeat(bytes));
const vectors = (count: number, length: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`v${n}`, { values: Array(length).fill(0.5) }]));

test('what is just allowed', () => {
  for (const item of [
    { itemId: 'x'.repeat(256), title: 'x'.repeat(1024) },
    { categories: words(64, 256), labels: words(64, 256) },
    { attributes: { t: 'x', n: -0, b: false, z: null, texts: ['', 'y'], numbers: [1, 2.5], none: [] } },
    { attributes: { text: 'x'.repeat(64 * 1024 - '{"text":""}'.length) } },
    { embeddings: vectors(16, 1) },
    { embeddings: vectors(1, 4096) },
    { availableFrom: { seconds: 0n, nanos: 0 }, availableUntil: { seconds: 0n, nanos: 1 } },
    { availableFrom: { seconds: 9n, nanos: 999_999_999 }, availableUntil: { seconds: 10n, nanos: 0 } },
    { available: false, availableUntil: { seconds: 253_402_300_799n, nanos: 0 } },
  ]) {
    assert.deepEqual(ofItem(item), [], JSON.stringify(item, (_key, value) => String(value)).slice(0, 80));
  }
});

test('one more than allowed', () => {
  assert.deepEqual(ofItem({ itemId: 'x'.repeat(257), title: 'x'.repeat(1025) }), ['i.item_id', 'i.title']);
  assert.deepEqual(ofItem({ categories: words(65), labels: words(1, 257) }), ['i.categories', 'i.labels[0]']);
  assert.deepEqual(ofItem({ attributes: { text: 'x'.repeat(64 * 1024 - 10) } }), ['i.attributes']);
  assert.deepEqual(ofItem({ embeddings: vectors(17, 1) }), ['i.embeddings']);
  assert.deepEqual(ofItem({ embeddings: vectors(1, 4097) }), ['i.embeddings["v0"]']);
});

test('attributes are texts, finite numbers, truth values, or lists of texts or numbers', () => {
  const nested: unknown[] = [{}, { a: 1 }, [[]], [{}], [true], [null], [undefined], [1, Number.NaN], Number.NaN];
  for (const value of nested) assert.deepEqual(ofItem({ attributes: { bad: value } }), ['i.attributes.bad']);
});

test('times are told apart to a microsecond', () => {
  const at = (nanos: number) => ({ seconds: 1_700_000_000n, nanos });
  assert.deepEqual(ofItem({ availableFrom: at(100), availableUntil: at(99) }), ['i.available_until']);
  assert.deepEqual(ofItem({ availableFrom: at(100), availableUntil: at(100) }), ['i.available_until']);
  assert.deepEqual(ofItem({ availableFrom: at(100), availableUntil: at(1100) }), []);
});

test('lists are neither empty nor too long, and name nobody twice', () => {
  const list = (ids: readonly string[]) => refused((fields) => checkList(fields, 'items', ids));
  assert.deepEqual(list([]), ['items']);
  assert.deepEqual(list(Array(UPSERT_MAX + 1).fill('x')), ['items']);
  assert.deepEqual(list(['a', 'b', 'a', 'b', 'c']), ['items[2]', 'items[3]']);
  assert.deepEqual(list(Array.from({ length: UPSERT_MAX }, (_, n) => `x${n}`)), []);
  const same = ['toString', '__proto__', 'constructor'];
  assert.deepEqual(list([...same, ...same]), ['items[3]', 'items[4]', 'items[5]']);
});

test('masks name whole fields, in either spelling', () => {
  const mask = (paths: string[]) => refused((fields) => checkMask(fields, paths, ITEM_FIELDS));
  assert.deepEqual(mask([...ITEM_FIELDS, 'availableFrom']), []);
  for (const path of ['item_id', '*', '', 'attributes.year', 'Title', 'title '])
    assert.deepEqual(mask([path]), ['update_mask']);
});
