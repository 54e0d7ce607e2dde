import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Item, ListItemsResponse } from '../../proto/gen/accrete/v1/catalog.ts';
import type { RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** What callers tell of items: kept whole, found again, and in effect for recommendations when it is answered. */

const server = await TestServer.start({ after });
const { client } = server;
const hash = async () => (await client.getModel('mean')).hash;
const listed = async (filter = '') => (await client.listItems({ filter, pageSize: 1000 })).items.map((it) => it.itemId);
const recommended = async (more: Partial<RecommendRequest> = {}) =>
  (await client.recommend('reader', { pageSize: 1000, ...more })).items.map(({ itemId }) => itemId);

const whole: Partial<Item> = {
  itemId: 'solaris',
  title: 'Solaris',
  categories: ['drama', 'films/science fiction'],
  labels: ['new'],
  attributes: { year: 1972, color: true, countries: ['SU'], lengths: [167, 115.5], note: '"\u{1f680}', none: null },
  embeddings: { text: { values: [0.5, -1, 2 ** -20] } },
  available: true,
  availableFrom: { seconds: 5n, nanos: 7 },
  availableUntil: { seconds: 253_402_300_799n, nanos: 999_999_999 },
};

test('an item comes back as it was told', async () => {
  const { createdCount, updatedCount } = await client.upsertItems([whole]);
  assert.deepEqual([createdCount, updatedCount], [1, 0]);
  const { item, ratingCount } = await client.getItem('solaris');
  assert.deepEqual([item, ratingCount], [Item.fromPartial(whole), 0n]);
  assert.deepEqual((await client.listItems({ filter: 'attributes.year = 1972' })).items, [item]);
});

test('an upsert replaces all that was known, and the ratings stay', async () => {
  await client.rate([rating('ann', 'mirror', 4), rating('ben', 'mirror', 2)]);
  await client.upsertItems([{ itemId: 'mirror', title: 'The Mirror', labels: ['old'], available: false }]);
  const { createdCount, updatedCount } = await client.upsertItems([
    { itemId: 'mirror', categories: ['drama'] },
    { itemId: 'stalker' },
  ]);
  assert.deepEqual([createdCount, updatedCount], [1, 1]);
  const { item, ratingCount } = await client.getItem('mirror');
  assert.deepEqual([item, ratingCount], [Item.fromPartial({ itemId: 'mirror', categories: ['drama'] }), 2n]);
});

test('a mask replaces what it names, and nothing else', async () => {
  await client.upsertItems([{ ...whole, itemId: 'masked' }]);
  const updateMask = ['labels', 'available_from', 'title'];
  await client.upsertItems([{ itemId: 'masked', labels: ['a', 'b'], categories: ['x'], available: false }], {
    updateMask,
  });
  const expected = { ...whole, itemId: 'masked', labels: ['a', 'b'], title: '', availableFrom: undefined };
  assert.deepEqual((await client.getItem('masked')).item, Item.fromPartial(expected));
});

test('of an item that is new a mask takes what it names too', async () => {
  const updateMask = ['labels'];
  await client.rate([rating('ann', 'rated', 1)]);
  for (const itemId of ['unheard', 'rated']) {
    await client.upsertItems([{ ...whole, itemId }], { updateMask });
    assert.deepEqual((await client.getItem(itemId)).item, Item.fromPartial({ itemId, labels: whole.labels }));
  }
  await client.deleteItems(['unheard', 'rated']);
});

test('an upsert is all or nothing', async () => {
  const before = await hash();
  const failure = await failureOf(client.upsertItems([{ itemId: 'fine' }, { itemId: 'bad', labels: [''] }]));
  assert.deepEqual([failure.reason, Object.keys(failure.fields)], ['INVALID_FIELD', ['items[1].labels[0]']]);
  assert.equal(await hash(), before);
  assert.equal((await failureOf(client.getItem('fine'))).reason, 'ITEM_NOT_FOUND');
});

test('validate_only says what would be, and nothing changes', async () => {
  const before = await hash();
  const items = [{ itemId: 'mirror' }, { itemId: 'would-be', embeddings: { brief: { values: [1] } } }];
  const answer = await client.upsertItems(items, { validateOnly: true });
  assert.deepEqual(answer, { revision: '', createdCount: 1, updatedCount: 1 });
  assert.deepEqual(await client.deleteItems(['mirror', 'would-be'], true), { revision: '', deletedCount: 1 });
  assert.equal(await hash(), before);
});

test('items known only from ratings are items too', async () => {
  await client.rate([rating('ann', 'only-rated', 5)]);
  assert.deepEqual((await client.getItem('only-rated')).item, Item.fromPartial({ itemId: 'only-rated' }));
  assert((await listed()).includes('only-rated'));
  assert((await listed('NOT labels:"new"')).includes('only-rated'));
  assert.equal((await client.deleteItems(['only-rated', 'only-rated', 'never-heard'])).deletedCount, 1);
  assert(!(await listed()).includes('only-rated'));
});

test('items are listed in the order in which they became known, page by page', async () => {
  await client.upsertItems(['p3', 'p1', 'p2', 'p5', 'p4'].map((itemId) => ({ itemId, labels: ['paged'] })));
  await client.rate([rating('ann', 'p6', 1)]);
  await client.upsertItems([
    { itemId: 'p6', labels: ['paged'] },
    { itemId: 'p1', labels: ['paged'], title: 'again' },
  ]);
  const ids: string[][] = [];
  let pageToken = '';
  do {
    const page = await client.listItems({ filter: 'labels:paged', pageSize: 2, pageToken });
    ids.push(page.items.map(({ itemId }) => itemId));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(ids, [
    ['p3', 'p1'],
    ['p2', 'p5'],
    ['p4', 'p6'],
  ]);
  const other = await client.listItems({ filter: 'labels:paged', pageSize: 2 });
  const failure = await failureOf(client.listItems({ filter: 'labels:other', pageToken: other.nextPageToken }));
  assert.deepEqual(Object.keys(failure.fields), ['page_token']);
});

test('a page of large items has fewer, so that it fits into a message', async () => {
  const large = Array.from({ length: 36 }, (_, n) => ({
    itemId: `large-${n}`,
    labels: ['large'],
    embeddings: Object.fromEntries(Array.from({ length: 16 }, (_, e) => [`e${e}`, { values: Array(3200).fill(n) }])),
  }));
  for (let from = 0; from < large.length; from += 12) await client.upsertItems(large.slice(from, from + 12));
  const ids: string[] = [];
  let pageToken = '';
  do {
    const page = await client.listItems({ filter: 'labels:large', pageSize: 1000, pageToken });
    assert(ListItemsResponse.encode(page).finish().length < 4 * 2 ** 20);
    ids.push(...page.items.map(({ itemId }) => itemId));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(
    ids,
    large.map(({ itemId }) => itemId),
  );
});

test('a new item can be recommended at once, without ratings, and its revision is one to wait for', async () => {
  const { revision } = await client.upsertItems([{ itemId: 'brand-new', labels: ['fresh'] }]);
  const reader = server.connect();
  const answer = await reader.recommend('reader', { filter: 'labels:fresh', minRevision: revision });
  assert.deepEqual([answer.items.map(({ itemId }) => itemId), answer.revision >= revision], [['brand-new'], true]);
  const stranger = await client.recommend('nobody', { filter: 'labels:fresh' });
  assert.deepEqual(
    stranger.items.map(({ itemId }) => itemId),
    ['brand-new'],
  );
});

test('what is not available is not recommended, and stays known', async () => {
  await client.upsertItems([{ itemId: 'sold-out', labels: ['stock'], available: false }]);
  assert.deepEqual(await recommended({ filter: 'labels:stock' }), []);
  assert.deepEqual(await recommended({ candidateItemIds: ['sold-out'] }), []);
  assert.deepEqual(await listed('labels:stock'), ['sold-out']);
  await client.upsertItems([{ itemId: 'sold-out', available: true }], { updateMask: ['available'] });
  assert.deepEqual(await recommended({ filter: 'labels:stock' }), ['sold-out']);
});

test('times take effect when they come, without a call', async () => {
  const start = Date.now();
  const at = (ms: number): Timestamp => {
    const time = start + ms;
    return Timestamp.fromPartial({ seconds: BigInt(Math.floor(time / 1000)), nanos: (time % 1000) * 1e6 });
  };
  await client.upsertItems([
    { itemId: 'comes', labels: ['timed'], availableFrom: at(400) },
    { itemId: 'goes', labels: ['timed'], availableUntil: at(400) },
    { itemId: 'passes', labels: ['timed'], availableFrom: at(-10_000), availableUntil: at(-1) },
    { itemId: 'holds', labels: ['timed'], availableFrom: at(-1), availableUntil: at(60_000) },
  ]);
  const now = async () => new Set(await recommended({ filter: 'labels:timed' }));
  const before = await now();
  // On a machine that is very busy the moment may have passed.
  if (Date.now() < start + 400) assert.deepEqual(before, new Set(['goes', 'holds']));
  await sleep(start + 401 - Date.now());
  assert.deepEqual(await now(), new Set(['comes', 'holds']));
  const candidateItemIds = ['comes', 'goes', 'passes', 'holds'];
  assert.deepEqual(new Set(await recommended({ candidateItemIds })), new Set(['comes', 'holds']));
});

test('all of it is there after a restart, with the same hashes', async () => {
  const before = [await client.getModel('mean'), await client.getItem('solaris'), await client.listItems()];
  await server.restart();
  const again = server.client;
  assert.deepEqual([await again.getModel('mean'), await again.getItem('solaris'), await again.listItems()], before);
});
