import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RecommendRequest, RecommendResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import { randomNumbers, rating, retraction } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Pages of recommendations: together they are one list, in which nothing comes twice, whatever happens meanwhile. */

const ITEMS = 60;
// Without a half-life: what was rated some milliseconds later would count more than what else it ties with.
const popularity = { name: 'popularity', plugin: 'popularity', config: { halfLifeDays: null } };
const server = await TestServer.start({ after }, { models: [TEST_CONFIG.models[0], popularity] });
const item = (n: number) => `item-${n}`;
const all = Array.from({ length: ITEMS }, (_, n) => item(n));
await server.client.rate(all.flatMap((id, n) => [rating('ann', id, 1 + (n % 5)), rating('ben', id, 1 + (n % 3))]));
await server.client.rate([rating('reader', item(0), 4)]);

type Ask = (more: Partial<RecommendRequest>) => Promise<RecommendResponse>;
type Between = (page: number) => unknown;

const SUBJECTS: Readonly<Record<string, Ask>> = {
  'for a user': (more) => server.client.recommend('reader', more),
  'for a stranger': (more) => server.client.recommend('stranger', more),
  'after a session': (more) => server.client.recommendAfter([item(0), 'unheard-of'], more),
};

/** All pages of a list; `between` is called before each page but the first. */
async function readPages(ask: Ask, pageSize: (page: number) => number, between: Between = () => {}) {
  const pages: RecommendResponse[] = [];
  let pageToken = '';
  do {
    assert(pages.length < 200, 'the list does not end');
    if (pages.length > 0) await between(pages.length);
    pages.push(await ask({ pageToken, pageSize: pageSize(pages.length) }));
    pageToken = pages[pages.length - 1].nextPageToken;
  } while (pageToken !== '');
  return { pages, ids: pages.flatMap(({ items }) => items.map(({ itemId }) => itemId)) };
}

function assertOnce(ids: readonly string[]): void {
  const twice = ids.filter((id, n) => ids.indexOf(id) !== n);
  assert.deepEqual(twice, []);
}

for (const [name, ask] of Object.entries(SUBJECTS)) {
  test(`${name}: pages of any size are one list`, async () => {
    const whole = (await ask({ pageSize: 1000 })).items.map(({ itemId }) => itemId);
    const { ids } = await readPages(ask, (page) => 1 + ((page * 7) % 11));
    assert.deepEqual(ids, whole);
  });

  test(`${name}: nothing comes twice and nothing is missed while ratings come and go`, async () => {
    const random = randomNumbers(name.length);
    const draw = () => item(Math.floor(random() * ITEMS));
    const { client } = server;
    const { pages, ids } = await readPages(
      ask,
      () => 1 + Math.floor(random() * 9),
      async () => {
        const others = Array.from({ length: 40 }, () => rating(`other-${Math.floor(random() * 5)}`, draw(), 5));
        await client.rate([...others, rating('ann', draw(), 1), retraction('ben', draw())]);
        await client.upsertItems([{ itemId: draw(), title: 'told of' }]);
      },
    );
    assert(pages.length > 6);
    assertOnce(ids);
    assert.deepEqual(new Set([...ids, item(0)]), new Set(all));
  });
}

test('what the user rates, what is deleted and what is new between pages is heeded, and nothing comes twice', async () => {
  const { client } = server;
  const { ids } = await readPages(
    (more) => client.recommend('critic', more),
    () => 8,
    async (page) => {
      if (page === 1) await client.rate([rating('critic', item(7), 5), rating('critic', item(8), 5)]);
      if (page === 2) await client.deleteItems([item(9), item(10)]);
      if (page === 3) await client.upsertItems([{ itemId: 'new-1' }, { itemId: 'new-2' }]);
    },
  );
  assertOnce(ids);
  assert(ids.includes('new-1') && ids.includes('new-2'));
  const [first, second] = [ids.slice(0, 8), ids.slice(8, 16)];
  for (const id of [item(7), item(8)]) assert(first.includes(id) || !ids.includes(id), id);
  for (const id of [item(9), item(10)]) assert([...first, ...second].includes(id) || !ids.includes(id), id);
  await client.upsertItems([{ itemId: item(9) }, { itemId: item(10) }]);
  await client.deleteItems(['new-1', 'new-2']);
});

test('a list goes on by its model after a restart and a change of the default model', async () => {
  const ask: Ask = (more) => server.client.recommend('reader', more);
  const { pages, ids } = await readPages(
    ask,
    () => 20,
    async (page) => {
      if (page === 1) await server.restart();
      if (page === 2) await server.client.setDefaultModel('popularity');
    },
  );
  assert.deepEqual(
    pages.map(({ model }) => model),
    ['mean', 'mean', 'mean'],
  );
  assertOnce(ids);
  assert.deepEqual(new Set([...ids, item(0)]), new Set(all));
  assert.equal((await ask({})).model, 'popularity');
  await server.client.setDefaultModel('mean');
});

test('candidates: named twice or becoming known between pages, each comes once', async () => {
  const named = ['later-1', item(5), item(6), item(5), 'later-2', item(7), 'later-1', item(6), 'never', item(5)];
  const { client } = server;
  for (const pageSize of [1, 2, 3]) {
    const [before, after] = [`later-1-${pageSize}`, `later-2-${pageSize}`];
    const candidateItemIds = named.map((id) => (id.startsWith('later') ? `${id}-${pageSize}` : id));
    const { ids } = await readPages(
      (more) => client.recommend('reader', { ...more, candidateItemIds }),
      () => pageSize,
      async (page) => {
        if (page === 1) await client.rate([rating('ann', after, 5)]);
        else await client.rate([rating('ben', before, 5)]);
      },
    );
    assertOnce(ids);
    assert.deepEqual(new Set(ids), new Set(candidateItemIds));
  }
});

test('there is no next page when the last one is exactly full', async () => {
  const candidateItemIds = [item(1), item(2), item(3), 'nobody-knows'];
  const ask: Ask = (more) => server.client.recommend('reader', { ...more, candidateItemIds });
  assert.equal((await ask({ pageSize: 4 })).nextPageToken, '');
  const { pages } = await readPages(ask, () => 2);
  assert.deepEqual(
    pages.map(({ items }) => items.length),
    [2, 2],
  );
});

test('a list that has nothing left ends with an empty page', async () => {
  const { client } = server;
  const candidateItemIds = [item(1), item(2)];
  const { nextPageToken } = await client.recommend('busy', { candidateItemIds, pageSize: 1 });
  await client.rate(candidateItemIds.map((id) => rating('busy', id, 3)));
  const rest = await client.recommend('busy', { candidateItemIds, pageSize: 1, pageToken: nextPageToken });
  assert.deepEqual([rest.items, rest.nextPageToken], [[], '']);
});

test('a page of explained items has at most 100, and the rest follows', async (t) => {
  const { client } = await TestServer.start(t);
  await client.rate(Array.from({ length: 150 }, (_, n) => rating('ann', item(n), 3)));
  const asked = { pageSize: 1000, explain: true };
  const first = await client.recommend('reader', asked);
  const second = await client.recommend('reader', { ...asked, pageToken: first.nextPageToken });
  assert.deepEqual([first.items.length, second.items.length, second.nextPageToken], [100, 50, '']);
  assert.equal((await client.recommend('reader', { pageSize: 1000 })).items.length, 150);
});

test('explain, page_size and min_revision may change between pages; everything else is another request', async () => {
  const { client } = server;
  const asked = { filter: 'NOT labels:"x"', excludeItemIds: [item(3)], context: { device: 'tv' }, pageSize: 5 };
  const { nextPageToken: pageToken, revision } = await client.recommend('reader', asked);
  await client.recommend('reader', { ...asked, pageToken, explain: true, pageSize: 7, minRevision: revision });
  const other: Partial<RecommendRequest>[] = [
    { filter: 'NOT labels:"y"' },
    { excludeItemIds: [] },
    { candidateItemIds: [item(4)] },
    { context: {} },
    { includeSeen: true },
    { includeSeen: false },
    { model: 'popularity' },
    { diversity: 0 },
  ];
  for (const change of other) await assertRefused(client.recommend('reader', { ...asked, pageToken, ...change }));
  await assertRefused(client.recommend('ann', { ...asked, pageToken }));
  await assertRefused(client.recommendAfter(['reader'], { ...asked, pageToken }));
  await assertRefused(client.recommendLike('reader', { ...asked, pageToken }));
});

test('tokens that were damaged, or that other calls gave, are refused', async () => {
  const { client } = server;
  const { nextPageToken: token } = await client.recommend('reader', { pageSize: 30 });
  const foreign = await client.listItems({ pageSize: 1 });
  const wrong = [
    'x',
    ' ',
    token.slice(0, -1),
    token.slice(1),
    `${token}A`,
    `${token}=`,
    `${token}!`,
    token.toUpperCase(),
  ];
  for (let n = 0; n < token.length; n += 5) {
    const flipped = String.fromCharCode(token.charCodeAt(n) ^ 1);
    wrong.push(token.slice(0, n) + flipped + token.slice(n + 1));
  }
  const last = token.length - 1;
  wrong.push(token.slice(0, last) + String.fromCharCode(token.charCodeAt(last) ^ 1), foreign.nextPageToken);
  for (const pageToken of wrong) await assertRefused(client.recommend('reader', { pageToken, pageSize: 30 }));
  await assertRefused(client.listItems({ pageToken: token }));
});

test('a list ends after 10,000 items', async () => {
  const { client } = server;
  const ids = Array.from({ length: 10_100 }, (_, n) => `many-${n}`);
  await client.upsertItems(ids.slice(0, 10_000).map((itemId) => ({ itemId, labels: ['many'] })));
  await client.upsertItems(ids.slice(10_000).map((itemId) => ({ itemId, labels: ['many'] })));
  const { pages, ids: shown } = await readPages(
    (more) => client.recommend('reader', { ...more, filter: 'labels:many' }),
    () => 1000,
  );
  assert.deepEqual([pages.length, new Set(shown).size], [10, 10_000]);
});

async function assertRefused(call: Promise<unknown>): Promise<void> {
  const { code, reason, fields } = await failureOf(call);
  assert.deepEqual([code, reason, Object.keys(fields)], ['INVALID_ARGUMENT', 'INVALID_FIELD', ['page_token']]);
}
