import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHANGES_KEPT } from '../../memory/features/changes.ts';
import type { AttributeValue, FeatureValues } from '../../memory/features/feature-values.ts';
import { Features } from '../../memory/features/features.ts';
import { loadHostKernels } from '../../memory/kernels/host-kernels.ts';
import { Reclaimer } from '../../memory/readers.ts';
import { highArena } from '../../memory/testing/high-arena.ts';
import { type Expression, matchesNothingKnown } from './expression.ts';
import { FilterMasks } from './masks.ts';
import { parseFilter } from './parse.ts';
import { anyExpression, NAMES, NUMBERS, TEXTS } from './testing/arbitraries.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);
const create = () => Features.create(arena, 1);

type Item = Pick<FeatureValues, 'categories' | 'labels' | 'attributes'>;

function write(features: Features, row: number, item: Partial<Item>): void {
  const values: FeatureValues = {
    message: Uint8Array.of(1, 2, 3),
    categories: [],
    labels: [],
    attributes: new Map(),
    embeddings: new Map(),
    available: true,
    fromSeconds: 0,
    untilSeconds: Number.POSITIVE_INFINITY,
    ...item,
  };
  features.write(row, values, reclaimer);
}

/** What an expression says of plain objects, as it is documented. */
function holds(expression: Expression, item: Item | undefined): boolean {
  if ('parts' in expression) {
    const parts = expression.parts.map((part) => holds(part, item));
    return expression.type === 'and' ? !parts.includes(false) : parts.includes(true);
  }
  if (expression.type === 'not') return !holds(expression.part, item);
  const { field } = expression;
  const value =
    field === 'categories' || field === 'labels'
      ? item?.[field]
      : item?.attributes.get(field.slice('attributes.'.length));
  if (value === undefined) return false;
  const members: readonly (string | number | boolean)[] = typeof value === 'object' ? value : [value];
  if (expression.type === 'has') return field.startsWith('attributes.') || members.length > 0;
  const { comparator, literal } = expression;
  return members.some((member) => {
    if (typeof member === 'number') {
      const { number } = literal;
      return number !== undefined && accepts(comparator, member < number ? -1 : member > number ? 1 : 0);
    }
    if (literal.number !== undefined && comparator !== '=') return false;
    return accepts(comparator, Buffer.compare(Buffer.from(String(member)), Buffer.from(literal.text)));
  });
}

function accepts(comparator: string, order: number): boolean {
  return { '=': order === 0, '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[comparator] ?? false;
}

function rowsOf(words: Uint32Array): number[] {
  const bits = [...words].flatMap((word) => Array.from({ length: 32 }, (_, bit) => (word >>> bit) & 1));
  return [...bits.keys()].filter((row) => bits[row] === 1);
}

function check(masks: FilterMasks, expression: Expression, items: readonly (Item | undefined)[]): void {
  const { address, words } = masks.evaluate(expression, items.length);
  const expected = [...items.keys()].filter((row) => holds(expression, items[row]));
  assert.deepEqual(rowsOf(words), expected);
  assert.deepEqual(arena.u32.slice(address >>> 2, (address >>> 2) + words.length), Uint32Array.from(words));
}

const anyMember = fc.oneof(fc.constantFrom(...TEXTS), fc.constantFrom(...NUMBERS).map(Number));
const anyValue: fc.Arbitrary<AttributeValue> = fc.oneof(anyMember, fc.boolean(), fc.array(anyMember, { maxLength: 3 }));
const anyTexts = fc.array(fc.constantFrom(...TEXTS), { maxLength: 3 });
const anyItem: fc.Arbitrary<Item> = fc.record({
  categories: anyTexts,
  labels: anyTexts,
  attributes: fc.array(fc.tuple(fc.constantFrom(...NAMES), anyValue), { maxLength: 4 }).map((pairs) => new Map(pairs)),
});

test('a mask is what the expression says of every item, before and after changes', () => {
  const anyItems = fc.array(fc.option(anyItem, { nil: undefined }), { minLength: 1, maxLength: 70, size: 'max' });
  const anyChanges = fc.array(fc.tuple(fc.nat(80), fc.option(anyItem, { nil: undefined })), { maxLength: 12 });
  const anyExpressions = fc.array(anyExpression, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyItems, anyChanges, anyExpressions, fc.nat(300), (start, changes, expressions, cacheBytes) => {
      const features = create();
      const items = [...start];
      for (const [row, item] of items.entries()) if (item) write(features, row, item);
      const masks = new FilterMasks(arena, kernels, features, cacheBytes);
      for (const expression of expressions) check(masks, expression, items);
      for (const [row, item] of changes) {
        if (item) write(features, row, item);
        else features.remove(row, reclaimer);
        while (items.length <= row) items.push(undefined);
        items[row] = item;
        check(masks, expressions[0], items);
      }
      for (const expression of expressions) check(masks, expression, items);
    }),
    { numRuns: 300 },
  );
});

test('of rows without features, the mask says what `matchesNothingKnown` does', () => {
  fc.assert(
    fc.property(anyExpression, (expression) => {
      const { words } = new FilterMasks(arena, kernels, create()).evaluate(expression, 5);
      assert.deepEqual([...words], [matchesNothingKnown(expression) ? 0b11111 : 0]);
    }),
  );
});

function parsed(text: string): Expression {
  const expression = parseFilter(text);
  assert.ok(expression);
  return expression;
}

test('rows of several segments, words of any number, and no row beyond those asked for', () => {
  const features = create();
  const rows = 33_000;
  for (let row = 0; row < rows; row += 1000) write(features, row, { labels: ['new'] });
  write(features, rows - 1, { labels: ['new'] });
  const masks = new FilterMasks(arena, kernels, features);
  const expected = [...Array.from({ length: 33 }, (_, n) => 1000 * n), rows - 1];
  for (const asked of [rows + 50, rows, rows - 1, 32, 1, 0]) {
    const { words } = masks.evaluate(parsed('labels:new'), asked);
    assert.equal(words.length, Math.ceil(asked / 32));
    assert.deepEqual(
      rowsOf(words),
      expected.filter((row) => row < asked),
    );
    const not = masks.evaluate(parsed('NOT labels:new'), asked).words;
    assert.equal(rowsOf(not).length, asked - expected.filter((row) => row < asked).length);
  }
});

test('what changed is looked at again: one row, many, and more than are remembered', () => {
  const features = create();
  const masks = new FilterMasks(arena, kernels, features);
  const rows = 1000;
  const price = (row: number, value: number) => write(features, row, { attributes: new Map([['price', value]]) });
  const cheap = () => rowsOf(masks.evaluate(parsed('attributes.price < 10'), rows).words).length;
  for (let row = 0; row < rows; row++) price(row, 20);
  assert.equal(cheap(), 0);
  price(7, 5);
  assert.equal(cheap(), 1);
  for (let row = 0; row < 500; row++) price(row, 5);
  assert.equal(cheap(), 500);
  for (let n = 0; n < CHANGES_KEPT + 5; n++) price(n % 10, 20);
  assert.equal(cheap(), 490);
  features.remove(400, reclaimer);
  assert.equal(cheap(), 489);
});

test('a term that nobody had is found when it comes, also between terms that were compared before', () => {
  const features = create();
  const masks = new FilterMasks(arena, kernels, features);
  const day = (row: number, text: string) => write(features, row, { attributes: new Map([['day', text]]) });
  const found = (text: string) => rowsOf(masks.evaluate(parsed(text), 4).words);
  assert.deepEqual([found('attributes.day >= 2020-01-01'), found('attributes.day:2021-05-05')], [[], []]);
  day(0, '2019-12-31');
  day(1, '2020-01-01');
  assert.deepEqual([found('attributes.day >= 2020-01-01'), found('attributes.day:2021-05-05')], [[1], []]);
  day(2, '2021-05-05');
  day(3, '2018-01-01');
  assert.deepEqual([found('attributes.day >= 2020-01-01'), found('attributes.day:2021-05-05')], [[1, 2], [2]]);
  assert.deepEqual(found('attributes.day > 2020'), [], 'a number is not compared with texts');
});

test('conditions are kept within their bytes, the one used last among them', () => {
  const features = create();
  for (let row = 0; row < 4096; row++) write(features, row, { labels: [`label ${10 + (row % 50)}`] });
  const one = new FilterMasks(arena, kernels, features);
  one.evaluate(parsed('labels:"label 10"'), 4096);
  // Its objects count too: there may be many where there are few items.
  assert.ok(one.cacheBytes > 512 + 1000, `${one.cacheBytes} bytes`);
  const bytesMax = 8 * one.cacheBytes;
  const masks = new FilterMasks(arena, kernels, features, bytesMax);
  for (let n = 0; n < 50; n++) {
    masks.evaluate(parsed(`labels:"label ${10 + n}"`), 4096);
    assert.equal(masks.cacheBytes, Math.min(8, n + 1) * one.cacheBytes);
  }
  // More at once than is kept.
  const all = Array.from({ length: 50 }, (_, n) => `labels:"label ${10 + n}"`).join(' OR ');
  assert.equal(rowsOf(masks.evaluate(parsed(all), 4096).words).length, 4096);
  assert.equal(masks.cacheBytes, bytesMax);
});
