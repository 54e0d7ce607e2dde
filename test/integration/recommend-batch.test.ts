import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import {
  type RecommendBatchRequest,
  type RecommendBatchResponse,
  RecommenderServiceService,
  type RecommendResponse,
  RecommendBatchRequest as Request,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { errorOf, failureOf, readStatus } from '../support/status.ts';

/** Lists for many users in one call: each as Recommend would answer, in order, while other calls are answered. */

// Without a half-life, a session or what came how long ago: answers would depend on when they are asked for.
const popularity = { name: 'popularity', plugin: 'popularity', config: { halfLifeDays: null } };
const mf = { name: 'mf', plugin: 'mf', config: { base: 'biases', ranking: 'taste' } };
const models = [mf, TEST_CONFIG.models[0], popularity];
const server = await TestServer.start(
  { after },
  { models, limits: { pageSize: 200 }, metrics: { listen: '127.0.0.1:0' } },
);
const { client } = server;
const random = randomNumbers(9);
const USERS = 300;
const rated = Array.from({ length: 4000 }, (_, n) =>
  rating(`user-${n % USERS}`, `item-${Math.floor(400 * random() ** 2)}`, 1 + Math.floor(5 * random())),
);
const { revision } = await client.rate(rated);
await client.upsertItems(Array.from({ length: 100 }, (_, n) => ({ itemId: `item-${n}`, labels: ['top'] })));
await client.upsertUsers([{ userId: 'told-of' }]);

/** What came for each user, and the progress that was told. */
function split(answers: readonly RecommendBatchResponse[]) {
  const events = answers.map(({ event }) => event);
  return {
    users: events.flatMap((event) => (event?.$case === 'recommendations' ? [event.value] : [])),
    progress: events.flatMap((event) => (event?.$case === 'progress' ? [event.value] : [])),
  };
}

/** An answer without what differs from call to call. */
const plain = (answer: RecommendResponse) => ({ ...answer, recommendationId: '', nextPageToken: '' });

test('every user gets what Recommend answers, in the order of the request', async () => {
  const userIds = ['user-7', 'nobody', 'user-3', 'told-of', 'user-7'];
  const options: readonly Partial<RecommendBatchRequest>[] = [
    {},
    { pageSize: 7, model: 'popularity', filter: 'labels:top', excludeItemIds: ['item-1'] },
    { diversity: 0.7, explain: true, includeSeen: true, minRevision: revision },
    { candidateItemIds: ['item-9', 'new-1', 'item-2'], model: 'mean' },
  ];
  for (const more of options) {
    const { users, progress } = split(await client.recommendBatch({ userIds, ...more }));
    assert.deepEqual(
      users.map(({ userId }) => userId),
      userIds,
    );
    const names = new Set<string>();
    for (const { userId, outcome } of users) {
      assert(outcome?.$case === 'answer');
      assert.equal(outcome.value.nextPageToken, '');
      names.add(outcome.value.recommendationId);
      assert.deepEqual(plain(outcome.value), plain(await client.recommend(userId, more)), JSON.stringify(more));
    }
    assert.equal(names.size, userIds.length);
    const last = progress.at(-1);
    assert.deepEqual([last?.unit, last?.completed, last?.total], ['users', 5n, 5n]);
  }
});

test('by a scenario too', async () => {
  await client.putScenario({ name: 'mail', model: 'popularity', filter: 'labels:top', pageSize: 3 });
  const { users } = split(await client.recommendBatch({ userIds: ['user-1'], scenario: 'mail' }));
  const [{ outcome }] = users;
  assert(outcome?.$case === 'answer');
  assert.deepEqual(plain(outcome.value), plain(await client.recommend('user-1', { scenario: 'mail' })));
  assert.equal((await failureOf(client.recommendBatch({ scenario: 'none' }))).reason, 'SCENARIO_NOT_FOUND');
});

test('nobody named: every known user, those told of too', async () => {
  const { users, progress } = split(await client.recommendBatch({ pageSize: 1 }));
  const expected = [...Array.from({ length: USERS }, (_, n) => `user-${n}`), 'told-of'];
  assert.deepEqual(
    users.map(({ userId }) => userId),
    expected,
  );
  assert.deepEqual(progress.at(-1)?.total, BigInt(expected.length));
});

test('a user who cannot be answered gets the error in place', async () => {
  const { users } = split(await client.recommendBatch({ userIds: ['user-1', 'user-2'], model: 'nowhere' }));
  const expected = await failureOf(client.recommend('user-1', { model: 'nowhere' }));
  for (const { outcome } of users) {
    assert(outcome?.$case === 'error');
    assert.deepEqual(readStatus(outcome.value), expected);
  }
  assert.equal(users.length, 2);
});

test('what is wrong with the request ends it before the first answer', async () => {
  const many = Array.from({ length: 10_001 }, (_, n) => `u-${n}`);
  for (const [more, ...fields] of [
    [{ userIds: ['a', '', 'b\n'] }, 'user_ids[1]', 'user_ids[2]'],
    [{ userIds: many }, 'user_ids'],
    [{ pageSize: -1, diversity: 2 }, 'page_size', 'diversity'],
    [{ filter: 'nothing' }, 'filter'],
    [{ minRevision: 'x' }, 'min_revision'],
  ] as [Partial<RecommendBatchRequest>, ...string[]][]) {
    const { code, reason, fields: named } = await failureOf(client.recommendBatch(more));
    assert.deepEqual([code, reason, Object.keys(named)], ['INVALID_ARGUMENT', 'INVALID_FIELD', fields]);
  }
});

test('other calls are answered meanwhile, and see what was rated since', async () => {
  const userIds = Array.from({ length: 3000 }, (_, n) => `user-${n % USERS}`);
  const request = Request.fromPartial({ userIds, pageSize: 100, model: 'mf' });
  let over = false;
  let received = 0;
  const batch = (async () => {
    for await (const { event } of client.watch(RecommenderServiceService.recommendBatch, request)) {
      if (event?.$case === 'recommendations') received++;
    }
    over = true;
  })();
  const other = server.connect();
  let calls = 0;
  for (; !over; calls++) {
    const { revision: minRevision } = await other.rate([rating('meanwhile', `item-${calls % 50}`, 3)]);
    assert((await other.recommend('meanwhile', { minRevision })).revision >= minRevision);
  }
  await batch;
  assert.equal(received, userIds.length);
  assert(calls >= 5, `${calls} calls`);
});

test('closing the stream stops the work', async () => {
  const userIds = Array.from({ length: 10_000 }, (_, n) => `user-${n % USERS}`);
  const request = Request.fromPartial({ userIds, pageSize: 200, model: 'mf', diversity: 1 });
  const stream = client.watch(RecommenderServiceService.recommendBatch, request, { deadline: Date.now() + 200 });
  const read = async () => {
    for await (const answer of stream) assert(answer.event);
  };
  assert.equal((await errorOf(read())).code, status.DEADLINE_EXCEEDED);
  for (const startMs = performance.now(); (await endedEarly()) === 0; await sleep(20))
    assert(performance.now() - startMs < 3000, 'it goes on');
});

/** How many batches the server has ended before their end. */
async function endedEarly(): Promise<number> {
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  const labels = { rpc_method: 'accrete.v1.RecommenderService/RecommendBatch', rpc_status_code: 'CANCELLED' };
  const found = samples.find(
    (sample) =>
      sample.name === 'rpc_server_call_duration_seconds_count' &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found?.value ?? 0;
}
