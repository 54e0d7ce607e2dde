import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RecommendRequest, RecommendResponse } from '../../proto/gen/accrete/v1/recommender.ts';
import { Scenario } from '../../proto/gen/accrete/v1/scenario.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Scenarios: named defaults for recommendations. The request goes before them; filters and exclusions add up. */

const server = await TestServer.start(
  { after },
  {
    metrics: { listen: '127.0.0.1:0' },
    models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf' }],
    limits: { pageSize: 50, candidates: 100 },
  },
);
const ids = Array.from({ length: 30 }, (_, n) => `item-${n}`);
await server.client.rate(
  ids.flatMap((id, n) => Array.from({ length: 1 + n }, (_, user) => rating(`user-${user}`, id, 3))),
);
await server.client.upsertItems(
  ids.map((itemId, n) => ({ itemId, labels: [n % 2 === 0 ? 'even' : 'odd'], attributes: { n } })),
);
/** Has rated item-29 and item-28. */
const READER = 'user-28';

const idsOf = ({ items }: RecommendResponse) => items.map(({ itemId }) => itemId);
const ask = (scenario: string, more: Partial<RecommendRequest> = {}) =>
  server.client.recommend(READER, { scenario, ...more });

const home: Scenario = {
  name: 'home',
  description: 'what the start page shows',
  model: 'popularity',
  filter: 'labels:even',
  diversity: 0,
  excludeItemIds: ['item-26', 'nobody-knows'],
  includeSeen: true,
  pageSize: 4,
};

test('a scenario comes back as it was put, and replaces the one of its name', async () => {
  const { client } = server;
  assert.deepEqual(await client.putScenario({ ...home, description: 'an older one', pageSize: 7 }), {
    ...home,
    description: 'an older one',
    pageSize: 7,
  });
  assert.deepEqual(await client.putScenario(home), home);
  await client.putScenario({ name: 'bare' });
  const { scenarios } = await client.listScenarios();
  assert.deepEqual(scenarios, [Scenario.fromPartial({ name: 'bare' }), home]);
});

test('it says what the request does not say', async () => {
  const answer = await ask('home');
  assert.deepEqual(idsOf(answer), ['item-28', 'item-24', 'item-22', 'item-20']);
  assert.equal(answer.model, 'popularity');
  const bare = await ask('bare');
  assert.deepEqual([bare.model, idsOf(bare)], ['mean', idsOf(await server.client.recommend(READER))]);
});

test('the request goes before it: model, seen items, size, diversity', async () => {
  const { client } = server;
  const own = await ask('home', { model: 'mean', includeSeen: false, pageSize: 2 });
  assert.deepEqual([own.model, idsOf(own)], ['mean', ['item-24', 'item-22']]);
  await client.putScenario({ name: 'mixed', diversity: 1, model: 'mf' });
  const [mixed, plain] = [await ask('mixed'), await ask('mixed', { diversity: 0 })];
  assert.deepEqual(idsOf(plain), idsOf(await client.recommend(READER, { model: 'mf' })));
  assert.deepEqual(idsOf(mixed), idsOf(await client.recommend(READER, { model: 'mf', diversity: 1 })));
  assert.notDeepEqual(idsOf(mixed), idsOf(plain));
});

test('filters and exclusions add up', async () => {
  const answer = await ask('home', { filter: 'attributes.n < 27', excludeItemIds: ['item-22'], pageSize: 3 });
  assert.deepEqual(idsOf(answer), ['item-24', 'item-20', 'item-18']);
  const either = await ask('home', { filter: 'labels:odd OR attributes.n > 27', pageSize: 3 });
  assert.deepEqual(idsOf(either), ['item-28']);
});

test('its pages are pages of it', async () => {
  const first = await ask('home');
  const second = await ask('home', { pageToken: first.nextPageToken });
  assert.deepEqual(idsOf(second), ['item-18', 'item-16', 'item-14', 'item-12']);
  const failure = await failureOf(ask('bare', { pageToken: first.nextPageToken }));
  assert.deepEqual(Object.keys(failure.fields), ['page_token']);
});

test('its size has the same maximum', async () => {
  await server.client.putScenario({ name: 'large', pageSize: 1_000_000, includeSeen: true });
  assert.equal((await ask('large')).items.length, 30);
});

test('a scenario that is none is told with those that there are', async () => {
  const failure = await failureOf(ask('nowhere'));
  assert.deepEqual([failure.code, failure.reason], ['NOT_FOUND', 'SCENARIO_NOT_FOUND']);
  assert.deepEqual(failure.metadata, { scenario: 'nowhere' });
  assert.match(failure.message, /home/);
});

test('what is wrong with a scenario is named, and nothing is kept', async () => {
  const { client } = server;
  const before = (await client.listScenarios()).scenarios;
  const many = Array.from({ length: 101 }, (_, n) => `x-${n}`);
  for (const [change, field] of [
    [{ name: '' }, 'name'],
    [{ name: 'Home' }, 'name'],
    [{ description: 'x'.repeat(1025) }, 'description'],
    [{ model: 'No Name' }, 'model'],
    [{ filter: 'labels:' }, 'filter'],
    [{ filter: `labels:${'x'.repeat(4096)}` }, 'filter'],
    [{ diversity: -0.1 }, 'diversity'],
    [{ diversity: Number.NaN }, 'diversity'],
    [{ excludeItemIds: many }, 'exclude_item_ids'],
    [{ excludeItemIds: ['a', ''] }, 'exclude_item_ids[1]'],
    [{ pageSize: -1 }, 'page_size'],
  ] as const) {
    const failure = await failureOf(client.putScenario({ ...home, name: 'new', ...change } as Partial<Scenario>));
    assert.deepEqual([failure.reason, Object.keys(failure.fields)], ['INVALID_FIELD', [`scenario.${field}`]]);
  }
  const unknown = await failureOf(client.putScenario({ name: 'new', model: 'nowhere' }));
  assert.deepEqual([unknown.reason, unknown.metadata], ['MODEL_NOT_FOUND', { model: 'nowhere' }]);
  assert.deepEqual(await client.putScenario({ ...home, name: 'new' }, true), { ...home, name: 'new' });
  assert.deepEqual((await client.listScenarios()).scenarios, before);
});

test('they are listed by name, page by page', async () => {
  const { client } = server;
  const first = await client.listScenarios({ pageSize: 3 });
  const second = await client.listScenarios({ pageSize: 3, pageToken: first.nextPageToken });
  const names = [first, second].map(({ scenarios }) => scenarios.map(({ name }) => name));
  assert.deepEqual([names, second.nextPageToken], [[['bare', 'home', 'large'], ['mixed']], '']);
  const failure = await failureOf(client.listScenarios({ pageToken: 'home' }));
  assert.deepEqual(Object.keys(failure.fields), ['page_token']);
});

test('all together they have a bound in bytes, and replacing one is within it', async () => {
  const { client } = server;
  const excludeItemIds = Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(256, 'x'));
  const put = (n: number) => client.putScenario({ name: `large-${n}`, excludeItemIds });
  let kept = 0;
  let refusal: Awaited<ReturnType<typeof failureOf>> | undefined;
  for (; !refusal && kept < 200; kept++) {
    const outcome = await put(kept).then(
      () => undefined,
      () => failureOf(put(kept)),
    );
    if (outcome) refusal = outcome;
  }
  assert.match(refusal?.fields.scenario ?? '', /larger than 3145728 bytes/);
  assert(kept > 100, String(kept));
  await put(0);
  for (let n = 0; n < kept; n++) await client.deleteScenario(`large-${n}`);
});

test('recommendations are timed by scenario, those of a batch too', async () => {
  await server.client.recommendBatch({ userIds: ['user-1', 'user-2'], scenario: 'home' });
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  const count = (scenario: string) =>
    samples
      .filter(({ name, labels }) => name === 'accrete_recommend_duration_seconds_count' && labels.scenario === scenario)
      .reduce((sum, { value }) => sum + value, 0);
  assert.equal(count('home'), 8);
  assert.equal(count('nowhere'), 0);
});

test('a deleted scenario is gone, and deleting it again is fine; the others survive a restart', async () => {
  const { client } = server;
  await client.deleteScenario('mixed');
  const { hashes, model } = await client.getModel('mean');
  await client.deleteScenario('mixed');
  await client.deleteScenario('never-there');
  assert.deepEqual(await client.getModel('mean').then((now) => [now.hashes, now.model?.revision]), [
    hashes,
    model?.revision,
  ]);
  assert.deepEqual(Object.keys((await failureOf(client.deleteScenario('No Name'))).fields), ['name']);
  const before = await client.listScenarios();
  assert.deepEqual(
    before.scenarios.map(({ name }) => name),
    ['bare', 'home', 'large'],
  );
  await server.restart();
  assert.deepEqual(await server.client.listScenarios(), before);
  assert.deepEqual(idsOf(await ask('home')), ['item-28', 'item-24', 'item-22', 'item-20']);
  assert.equal((await failureOf(ask('mixed'))).reason, 'SCENARIO_NOT_FOUND');
});
