import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RecommendedItem, RecommendRequest, RecommendResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Whom or what a list is for, who answers it, how its items differ, and why they are there. */

const ITEMS = 60;
/** `mean`, the default, knows users alone; `mf` ranks by everything; `popularity` needs to know nobody. */
const [mean, popularity] = TEST_CONFIG.models;
/** What people rate says nothing here, only how. */
const mf = { name: 'mf', plugin: 'mf', config: { ranking: 'taste' } };
const { client } = await TestServer.start({ after }, { models: [mean, mf, popularity] });
const random = randomNumbers(6);
/** Two tastes: users of one like even items, the others odd ones; so items of a sort are alike. */
const ratings = Array.from({ length: 3000 }, () => {
  const [user, item] = [Math.floor(40 * random()), Math.floor(ITEMS * random())];
  return rating(`user-${user}`, `item-${item}`, user % 2 === item % 2 ? 5 : 1);
});
await client.rate(ratings);

const idsOf = ({ items }: RecommendResponse) => items.map(({ itemId }) => itemId);
const all: Partial<RecommendRequest> = { pageSize: 100 };

test('like an item: items of its sort come first, and it is not among them', async () => {
  const answer = await client.recommendLike('item-4', { ...all, model: 'mf' });
  const ids = idsOf(answer);
  assert.deepEqual([answer.model, answer.fallbackReason], ['mf', '']);
  assert.deepEqual([ids.length, ids.includes('item-4')], [ITEMS - 1, false]);
  const even = ids.slice(0, 20).filter((id) => Number(id.slice(5)) % 2 === 0);
  assert(even.length > 16, String(ids.slice(0, 20)));
  assert.deepEqual(idsOf(await client.recommendLike('item-4', { ...all, model: 'mf', includeSeen: true })), ids);
  const candidateItemIds = ['item-6', 'item-4', 'nowhere'];
  assert.deepEqual(idsOf(await client.recommendLike('item-4', { candidateItemIds, model: 'mf' })), [
    'item-6',
    'nowhere',
  ]);
});

test('after a session: items of its sort come first, its own are left out, unknown ones are passed over', async () => {
  const session = ['item-2', 'item-8', 'item-4'];
  const answer = await client.recommendAfter(session, { ...all, model: 'mf' });
  const ids = idsOf(answer);
  assert.deepEqual([answer.model, answer.fallbackReason, ids.length], ['mf', '', ITEMS - 3]);
  assert(!ids.some((id) => session.includes(id)));
  assert(ids.slice(0, 20).filter((id) => Number(id.slice(5)) % 2 === 0).length > 16, String(ids.slice(0, 20)));
  const mixed = ['nowhere', 'item-2', 'item-8', 'nothing', 'item-4', 'none'];
  assert.deepEqual(idsOf(await client.recommendAfter(mixed, { ...all, model: 'mf' })), ids);
  const byCounts = await client.recommendAfter(session, { ...all, model: 'popularity' });
  assert.deepEqual([byCounts.model, byCounts.fallbackReason, byCounts.items.length], ['popularity', '', ITEMS - 3]);
});

test('where the default model cannot, another one answers and says why; one that is named must', async () => {
  const [like, next] = await Promise.all([client.recommendLike('item-4'), client.recommendAfter(['item-4'])]);
  assert.deepEqual([like.model, like.fallbackReason], ['mf', 'CAPABILITY_MISSING']);
  assert.deepEqual([next.model, next.fallbackReason], ['mf', 'CAPABILITY_MISSING']);
  assert.deepEqual(idsOf(like), idsOf(await client.recommendLike('item-4', { model: 'mf' })));
  for (const [call, capability, who] of [
    [client.recommendLike('item-4', { model: 'mean' }), 'similar', /ask mf$/],
    [client.recommendLike('item-4', { model: 'popularity' }), 'similar', /ask mf$/],
    [client.recommendAfter(['item-4'], { model: 'mean' }), 'session', /ask mf, popularity$/],
  ] as const) {
    const failure = await failureOf(call);
    assert.deepEqual([failure.code, failure.reason], ['UNIMPLEMENTED', 'CAPABILITY_MISSING']);
    assert.equal(failure.metadata.capability, capability);
    assert.match(failure.message, who);
  }
});

test('like items that nobody rated, and after them: what is popular, and why; pages go on', async () => {
  await client.upsertItems(['new-1', 'new-2'].map((itemId) => ({ itemId })));
  const popular = idsOf(await client.recommend('nobody', { ...all, model: 'mf' }));
  const others = (...left: string[]) => popular.filter((id) => !left.includes(id));
  for (const model of ['', 'mf']) {
    const [like, next] = await Promise.all([
      client.recommendLike('new-1', { ...all, model, explain: true }),
      client.recommendAfter(['new-1', 'new-2'], { ...all, model, explain: true }),
    ]);
    const reason = model === '' ? 'CAPABILITY_MISSING' : 'UNKNOWN_ITEM';
    assert.deepEqual([like.model, like.fallbackReason], ['popularity', reason]);
    assert.deepEqual([next.model, next.fallbackReason], ['popularity', reason]);
    assert.deepEqual([idsOf(like), idsOf(next)], [others('new-1'), others('new-1', 'new-2')]);
    for (const answer of [like, next]) assertExplained(answer);
  }
  const first = await client.recommendLike('new-1', { pageSize: 40, model: 'mf' });
  const rest = await client.recommendLike('new-1', { pageSize: 40, model: 'mf', pageToken: first.nextPageToken });
  assert.deepEqual([...idsOf(first), ...idsOf(rest)], others('new-1'));
  const known = await client.recommendAfter(['new-1', 'item-2'], { model: 'mf' });
  assert.deepEqual([known.model, known.fallbackReason], ['mf', '']);
  await client.deleteItems(['new-1', 'new-2']);
});

test('pages of a list that another model answers go on by that one', async () => {
  const whole = idsOf(await client.recommendLike('item-4', all));
  const first = await client.recommendLike('item-4', { pageSize: 40 });
  const second = await client.recommendLike('item-4', { pageSize: 40, pageToken: first.nextPageToken });
  assert.deepEqual([...idsOf(first), ...idsOf(second)], whole);
  assert.deepEqual([second.model, second.fallbackReason, second.nextPageToken], ['mf', 'CAPABILITY_MISSING', '']);
});

test('a rating is expected from users alone', async () => {
  const valued = ({ items }: RecommendResponse) =>
    items.filter(({ predictedValue }) => predictedValue !== undefined).length;
  assert.equal(valued(await client.recommend('user-1', { model: 'mf' })), 10);
  assert.equal(valued(await client.recommendLike('item-1', { model: 'mf' })), 0);
  assert.equal(valued(await client.recommendAfter(['item-1'], { model: 'mf' })), 0);
});

test('diversity 0 is the plain list; more makes items differ, and the best stays first', async () => {
  const subjects: readonly NonNullable<RecommendRequest['subject']>[] = [
    { $case: 'userId', value: 'user-2' },
    { $case: 'itemId', value: 'item-2' },
    { $case: 'session', value: { itemIds: ['item-2', 'item-6'] } },
  ];
  for (const subject of subjects) {
    const ask = (diversity?: number) => client.recommendTo(subject, { model: 'mf', includeSeen: true, diversity });
    const [plain, none, some, most, again] = await Promise.all([undefined, 0, 0.5, 1, 1].map(ask));
    assert.deepEqual(none.items, plain.items);
    assert.deepEqual(again.items, most.items);
    assert.deepEqual(
      [some, most].map((answer) => idsOf(answer)[0]),
      [idsOf(plain)[0], idsOf(plain)[0]],
    );
    assert.notDeepEqual(idsOf(most), idsOf(plain));
    const odd = (answer: RecommendResponse) => idsOf(answer).filter((id) => Number(id.slice(5)) % 2 === 1).length;
    assert(odd(most) > odd(plain), `${subject.$case}: ${idsOf(most)}`);
  }
});

test('diversity by the vectors of another model where the one that answers has none', async () => {
  const ask = (diversity: number) => client.recommend('user-2', { includeSeen: true, diversity });
  const [plain, diverse] = await Promise.all([ask(0), ask(1)]);
  assert.deepEqual([plain.model, diverse.model], ['mean', 'mean']);
  assert.notDeepEqual(idsOf(diverse), idsOf(plain));
});

const sumOf = ({ explanation }: RecommendedItem) =>
  explanation?.contributions.reduce((sum, { value }) => sum + value, 0) ?? Number.NaN;

function assertExplained(answer: RecommendResponse): void {
  assert(answer.items.length > 0);
  for (const item of answer.items) {
    const tolerance = 1e-5 * Math.max(1, Math.abs(item.score));
    assert(Math.abs(sumOf(item) - item.score) <= tolerance, `${item.itemId}: ${sumOf(item)} is not ${item.score}`);
    const shares = item.explanation?.contributions.map(({ value }) => Math.abs(value)) ?? [];
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => b - a),
      item.itemId,
    );
    assert.equal(
      item.explanation?.contributions.every(({ source }) => source !== undefined),
      true,
    );
  }
}

test('what a score comes from adds up to it, the greatest share first', async () => {
  await client.upsertItems([{ itemId: 'never-rated' }]);
  const explain = { ...all, explain: true };
  for (const model of ['mf', 'popularity']) {
    assertExplained(await client.recommend('user-1', { ...explain, model }));
    assertExplained(await client.recommend('user-1', { ...explain, model, includeSeen: true, diversity: 0.5 }));
    assertExplained(await client.recommend('stranger', { ...explain, model }));
  }
  assertExplained(await client.recommendLike('item-3', { ...explain, model: 'mf' }));
});

test('like an item: it is the reason itself', async () => {
  const { items } = await client.recommendLike('item-3', { explain: true, model: 'mf', pageSize: 1 });
  assert.deepEqual(items[0].explanation?.contributions, [
    { source: { $case: 'itemId', value: 'item-3' }, value: items[0].score },
  ]);
});

test('no explanation where none is asked for, or the model has none', async () => {
  const [unasked, unable] = await Promise.all([
    client.recommend('user-1', { model: 'mf' }),
    client.recommend('user-1', { model: 'mean', explain: true }),
  ]);
  assert(unasked.items.length > 0 && unable.items.length > 0);
  assert([...unasked.items, ...unable.items].every(({ explanation }) => explanation === undefined));
});
