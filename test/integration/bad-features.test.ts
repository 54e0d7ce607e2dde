import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CatalogServiceService, type Item, UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import type { User } from '../../proto/gen/accrete/v1/user.ts';
import { withBytes } from '../support/client.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** What is wrong with items and users: every bad field is named, and nothing changes. */

const { client } = await TestServer.start({ after });
await client.upsertItems([{ itemId: 'known', embeddings: { text: { values: [1, 2] } }, availableFrom: seconds(100n) }]);
await client.upsertUsers([{ userId: 'known', embeddings: { face: { values: [1, 2, 3] } } }]);

function seconds(count: bigint, nanos = 0) {
  return { seconds: count, nanos };
}

const words = (count: number) => Array.from({ length: count }, (_, n) => `word-${n}`);
const embeddingsOf = (count: number) => Object.fromEntries(words(count).map((name) => [name, { values: [1] }]));

/** What is wrong with items and users alike: of the one at place 1. */
const COMMON: Readonly<Record<string, readonly [Partial<Item & User>, ...string[]]>> = {
  'too many labels': [{ labels: words(65) }, 'labels'],
  'labels that are empty or too long': [{ labels: ['', 'x', '\u00fc'.repeat(129)] }, 'labels[0]', 'labels[2]'],
  'attributes that are nested': [
    { attributes: { a: { b: 1 }, c: [1, [2]], d: [{}], e: 1 } },
    ...['a', 'c', 'd'].map(attribute),
  ],
  'attributes that are no finite number': [
    { attributes: { a: Number.NaN, b: [1, Number.POSITIVE_INFINITY] } },
    ...['a', 'b'].map(attribute),
  ],
  'lists of truth values and of nothing': [{ attributes: { a: [true], b: [null] } }, ...['a', 'b'].map(attribute)],
  'an attribute without a name': [{ attributes: { '': 1 } }, 'attributes'],
  'attributes that are too large': [{ attributes: { text: 'x'.repeat(64 * 1024) } }, 'attributes'],
  'too many embeddings': [{ embeddings: embeddingsOf(17) }, 'embeddings'],
  'embeddings that are empty, too long, not finite or have no name': [
    {
      embeddings: {
        a: { values: [] },
        b: { values: Array(4097).fill(1) },
        c: { values: [Number.NaN] },
        d: { values: [1, Number.NEGATIVE_INFINITY] },
        '': { values: [1] },
      },
    },
    ...['a', 'b', 'c', 'd', ''].map(embedding),
  ],
};

const ITEMS: typeof COMMON = {
  ...COMMON,
  'a title that is too long': [{ title: 'x'.repeat(1025) }, 'title'],
  'categories that are empty': [{ categories: ['a', ''] }, 'categories[1]'],
  'times that are reversed': [
    { availableFrom: seconds(7n), availableUntil: seconds(6n, 999_999_999) },
    'available_until',
  ],
  'times that are equal': [{ availableFrom: seconds(7n, 5), availableUntil: seconds(7n, 5) }, 'available_until'],
  'times that are none': [
    { availableFrom: seconds(1n, -1), availableUntil: seconds(-1n) },
    'available_from',
    'available_until',
  ],
  'an embedding of another length than those of its name': [
    { embeddings: { text: { values: [1, 2, 3] } } },
    embedding('text'),
  ],
  'two lengths of one new name': [{ embeddings: { fresh: { values: [1, 2, 3] } } }, embedding('fresh')],
};

const USERS: typeof COMMON = {
  ...COMMON,
  'an embedding of another length than those of its name': [
    { embeddings: { face: { values: [1] } } },
    embedding('face'),
  ],
};

function attribute(name: string): string {
  return `attributes.${name}`;
}

function embedding(name: string): string {
  return `embeddings[${JSON.stringify(name)}]`;
}

const fresh = { embeddings: { fresh: { values: [1] } } };

for (const [name, [item, ...fields]] of Object.entries(ITEMS)) {
  test(`items with ${name}`, () =>
    assertRefused(
      () =>
        client.upsertItems([
          { itemId: 'good', ...fresh },
          { itemId: 'bad', ...item },
        ]),
      fields.map((field) => `items[1].${field}`),
    ));
}

for (const [name, [user, ...fields]] of Object.entries(USERS)) {
  test(`users with ${name}`, () =>
    assertRefused(
      () =>
        client.upsertUsers([
          { userId: 'good', ...fresh },
          { userId: 'bad', ...user },
        ]),
      fields.map((field) => `users[1].${field}`),
    ));
}

test('times after the last that there is', () =>
  assertRefused(
    () => client.upsertItems([{ itemId: 'x', availableUntil: seconds(253_402_300_800n) }]),
    ['items[0].available_until'],
  ));

test('lists that are empty, too long, or name someone twice', async () => {
  const many = words(10_001);
  const ids = ['', 'a\n', 'x'.repeat(257)];
  await assertRefused(() => client.upsertItems([]), ['items']);
  await assertRefused(() => client.upsertUsers([]), ['users']);
  await assertRefused(() => client.deleteItems([]), ['item_ids']);
  await assertRefused(() => client.upsertItems(many.map((itemId) => ({ itemId }))), ['items']);
  await assertRefused(() => client.upsertUsers(many.map((userId) => ({ userId }))), ['users']);
  await assertRefused(() => client.deleteItems(many), ['item_ids']);
  await assertRefused(
    () => client.upsertItems(['a', 'b', 'a', 'a'].map((itemId) => ({ itemId }))),
    ['items[2]', 'items[3]'],
  );
  await assertRefused(() => client.upsertUsers(['a', 'b', 'a'].map((userId) => ({ userId }))), ['users[2]']);
  await assertRefused(
    () => client.upsertItems(ids.map((itemId) => ({ itemId }))),
    ids.map((_, n) => `items[${n}].item_id`),
  );
  await assertRefused(
    () => client.upsertUsers(ids.map((userId) => ({ userId }))),
    ids.map((_, n) => `users[${n}].user_id`),
  );
  await assertRefused(
    () => client.deleteItems(ids),
    ids.map((_, n) => `item_ids[${n}]`),
  );
  await assertRefused(() => client.getItem(''), ['item_id']);
  await assertRefused(() => client.getUser('\u0000'), ['user_id']);
});

test('a mask that names what cannot be replaced', async () => {
  for (const path of ['item_id', 'attributes.year', 'nothing', '*', '']) {
    await assertRefused(() => client.upsertItems([{ itemId: 'x' }], { updateMask: [path] }), ['update_mask']);
  }
  await assertRefused(() => client.upsertUsers([{ userId: 'x' }], { updateMask: ['title'] }), ['update_mask']);
});

test('a mask that leaves an item with its times reversed', () =>
  assertRefused(
    () =>
      client.upsertItems([{ itemId: 'new' }, { itemId: 'known', availableUntil: seconds(99n) }], {
        updateMask: ['available_until'],
      }),
    ['items[1].available_until'],
  ));

test('so many mistakes that not all are told', async () => {
  const items = Array.from({ length: 5000 }, (_, n) => ({ itemId: `i-${n}`, embeddings: { text: { values: [1] } } }));
  const { fields } = await failureOf(client.upsertItems(items));
  assert.match(Object.values(fields).join('\n'), /more violations/);
});

test('a filter that does not parse is told with where and what was expected', async () => {
  const failure = await failureOf(client.listItems({ filter: 'labels:"a" AND' }));
  assert.deepEqual([failure.code, Object.keys(failure.fields)], ['INVALID_ARGUMENT', ['filter']]);
  assert.match(failure.fields.filter, /at character 15: .*expected/);
});

test('an attribute that has no value at all', async () => {
  // fields { key: "none" value {} }, and a list of one value that is none
  const item = (attributes: string) => Buffer.from(`0a${hex(`0a0162${bytes('2a', attributes)}`)}`, 'hex');
  const none = item(bytes('0a', `0a046e6f6e65${bytes('12', '')}`));
  const list = item(bytes('0a', `0a046c697374${bytes('12', bytes('32', bytes('0a', '')))}`));
  const method = withBytes(CatalogServiceService.upsertItems as never);
  assert.equal(UpsertItemsRequest.decode(none).items[0].itemId, 'b');
  await assertRefused(() => client.call(method, list), ['items[0].attributes.list']);
  await client.call(method, none);
  assert.deepEqual((await client.getItem('b')).item?.attributes ?? {}, {});
});

function hex(content: string): string {
  return (content.length / 2).toString(16).padStart(2, '0') + content;
}

function bytes(tag: string, content: string): string {
  return tag + hex(content);
}

async function assertRefused(call: () => Promise<unknown>, fields: readonly string[]): Promise<void> {
  const before = await stateOf();
  const failure = await failureOf(call());
  assert.deepEqual([failure.code, failure.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
  assert.deepEqual(Object.keys(failure.fields), fields);
  assert.deepEqual(await stateOf(), before);
}

async function stateOf() {
  const { hash, model } = await client.getModel('mean');
  return [hash, model?.revision];
}
