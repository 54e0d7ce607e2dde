import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Item, UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import { UpsertUsersRequest, User } from '../../proto/gen/accrete/v1/user.ts';
import { decodeItems, decodeUsers } from './feature-codec.ts';

const whole = Item.fromPartial({
  itemId: 'solaris',
  title: 'Solaris',
  categories: ['drama'],
  labels: ['new', 'old'],
  attributes: { year: 1972, tags: ['a', 2], gone: null },
  embeddings: { text: { values: [1, 2, 3] } },
  available: false,
  availableFrom: { seconds: 5n, nanos: 500_000_000 },
  availableUntil: { seconds: 9n, nanos: 0 },
});

function itemOf(item: Partial<Item>, updateMask?: string[], before?: Item) {
  const request = UpsertItemsRequest.fromPartial({ items: [item], updateMask });
  const [entry] = decodeItems(UpsertItemsRequest.encode(request).finish()).entries;
  return entry.merge(before && Item.encode(before).finish());
}

test('what can be asked of an item, and the message itself', () => {
  const { message, ...values } = itemOf(whole);
  assert.deepEqual(Item.decode(message), whole);
  assert.deepEqual(values, {
    categories: ['drama'],
    labels: ['new', 'old'],
    attributes: new Map<string, unknown>([
      ['year', 1972],
      ['tags', ['a', 2]],
    ]),
    embeddings: new Map([['text', 3]]),
    available: false,
    fromSeconds: 5.5,
    untilSeconds: 9,
  });
});

test('an item of which only the id is said may be recommended, at once and for ever', () => {
  const { available, fromSeconds, untilSeconds } = itemOf({ itemId: 'x' });
  assert.deepEqual([available, fromSeconds, untilSeconds], [true, 0, Number.POSITIVE_INFINITY]);
});

test('without a mask, or with an empty one, all is replaced', () => {
  for (const mask of [undefined, []]) {
    const next = Item.fromPartial({ itemId: 'solaris', title: 'Anew' });
    assert.deepEqual(Item.decode(itemOf(next, mask, whole).message), next);
  }
});

test('a mask replaces each field that it names, in either spelling, and no other', () => {
  const next = Item.fromPartial({ ...whole, title: 'Anew', labels: [], availableFrom: undefined, available: true });
  const masked = (mask: string[]) => Item.decode(itemOf(next, mask, whole).message);
  assert.deepEqual(masked(['title']), { ...whole, title: 'Anew' });
  assert.deepEqual(masked(['labels', 'available_from']), { ...whole, labels: [], availableFrom: undefined });
  assert.deepEqual(masked(['availableFrom', 'available']), { ...whole, availableFrom: undefined, available: true });
});

test('a mask takes no more than it names of what is new', () => {
  const { message, embeddings } = itemOf(whole, ['labels', 'attributes']);
  const { itemId, labels, attributes } = whole;
  assert.deepEqual(Item.decode(message), Item.fromPartial({ itemId, labels, attributes }));
  assert.equal(embeddings.size, 0);
});

test('users are told of in the same way', () => {
  const user = User.fromPartial({ userId: 'ann', labels: ['a'], attributes: { born: 1990 }, embeddings: {} });
  const bytes = UpsertUsersRequest.encode(
    UpsertUsersRequest.fromPartial({ users: [user], updateMask: ['labels'], validateOnly: true }),
  ).finish();
  const { validateOnly, entries } = decodeUsers(bytes);
  assert.deepEqual([validateOnly, entries.map(({ id }) => id)], [true, ['ann']]);
  const before = User.fromPartial({ userId: 'ann', labels: ['x', 'y'], attributes: { born: 1 } });
  const { message, labels, attributes } = entries[0].merge(User.encode(before).finish());
  assert.deepEqual(User.decode(message), { ...before, labels: ['a'] });
  assert.deepEqual([labels, attributes], [['a'], new Map([['born', 1]])]);
});
