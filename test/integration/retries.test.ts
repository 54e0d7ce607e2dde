import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../support/client.ts';
import { rating, retraction } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf, readStatus } from '../support/status.ts';

/** A request that is sent again with its request_id is learned once, and answered with the first revision. */

const ratings = [rating('ann', 'matrix', 4), rating('ann', 'alien', 2), retraction('bob', 'matrix')];
const shared = await TestServer.start({ after });
const { client } = shared;
const killed = await ServerProcess.start({ after });

test('sent again: the same revision, duplicate, and nothing is learned', async () => {
  const request = { requestId: 'again', returnPredictions: ['mean'] };
  const first = await client.rate(ratings, request);
  assert.deepEqual([first.duplicate, first.acceptedCount], [false, 3]);
  const before = await stateOf(client);
  for (let n = 0; n < 3; n++) {
    assert.deepEqual(await client.rate(ratings, request), { ...first, duplicate: true, predictions: [] });
  }
  // What else the request says does not matter: it is the ratings that were learned.
  assert.equal((await client.rate(ratings, { requestId: 'again' })).duplicate, true);
  assert.deepEqual(await stateOf(client), before);
});

test('without a request_id every try is learned', async () => {
  const first = await client.rate(ratings);
  const second = await client.rate(ratings);
  assert.deepEqual([second.duplicate, second.revision > first.revision], [false, true]);
});

test('sent many times at once, by many connections: learned once', async () => {
  const clients = Array.from({ length: 4 }, () => shared.connect());
  for (let round = 0; round < 10; round++) {
    const batch = [rating(`round-${round}`, 'matrix', 4)];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        clients[n % 4].rate(batch, { requestId: `round-${round}`, returnPredictions: ['mean'] }),
      ),
    );
    assert.equal(answers.filter(({ duplicate }) => !duplicate).length, 1);
    assert.equal(new Set(answers.map(({ revision }) => revision)).size, 1);
    const { model } = await client.getModel('mean');
    const { predictions } = await client.rate(batch, { returnPredictions: ['mean'] });
    assert.deepEqual(predictions[0].values, [4]);
    assert.equal((await client.getModel('mean')).model?.learnedCount, (model?.learnedCount ?? 0n) + 1n);
  }
});

test('an id is of its first ratings, also while they are on their way', async () => {
  const [first, second] = await Promise.all([
    client.rate(ratings, { requestId: 'raced' }),
    failureOf(client.rate([rating('ann', 'matrix', 5)], { requestId: 'raced' })),
  ]);
  assert.equal(second.reason, 'REQUEST_ID_REUSED');
  assert.deepEqual(second.metadata, { request_id: 'raced', revision: first.revision });
});

test('a refused request leaves its id free', async () => {
  await failureOf(client.rate([rating('ann', 'matrix', 9)], { requestId: 'refused' }));
  assert.equal((await client.rate(ratings, { requestId: 'refused' })).duplicate, false);
});

test('in streams: answered in its place, learned once, reuse refused in its place', async () => {
  const stream = client.rateStream();
  const send = (requestId: string, batch = ratings) =>
    stream.send(RateStreamRequest.fromPartial({ requestId, ratings: batch }));
  for (const requestId of ['a', 'b', 'a', 'a', '']) send(requestId);
  send('b', [rating('ann', 'matrix', 5)]);
  send('b');
  const [a, b, again, twice, without, reused, last] = await stream.finish();
  assert.deepEqual(
    [a, b, again, twice, without, last].map(({ duplicate }) => duplicate),
    [false, false, true, true, false, true],
  );
  assert.deepEqual([again.revision, twice.revision, last.revision], [a.revision, a.revision, b.revision]);
  assert.equal(reused.error && readStatus(reused.error).reason, 'REQUEST_ID_REUSED');
  // A unary call knows the ids of streams too.
  assert.equal((await client.rate(ratings, { requestId: 'a' })).revision, a.revision);
});

test('sent again after a restart: the same revision', async (t) => {
  const server = await TestServer.start(t);
  const first = await server.client.rate(ratings, { requestId: 'again' });
  await server.restart();
  const before = await stateOf(server.client);
  assert.deepEqual(await server.client.rate(ratings, { requestId: 'again' }), { ...first, duplicate: true });
  const reused = await failureOf(server.client.rate([rating('ann', 'matrix', 5)], { requestId: 'again' }));
  assert.equal(reused.reason, 'REQUEST_ID_REUSED');
  assert.deepEqual(await stateOf(server.client), before);
});

test('sent again after the server was killed in the moment of its answer: the same revision', async () => {
  const first = await killed.client.rate(ratings, { requestId: 'again' });
  await killed.kill();
  await killed.start();
  assert.deepEqual(await killed.client.rate(ratings, { requestId: 'again' }), { ...first, duplicate: true });
});

test('a stream that broke because the server was killed goes on where it stopped', async (t) => {
  const server = killed;
  const requests = Array.from({ length: 400 }, (_, n) =>
    RateStreamRequest.fromPartial({
      requestId: `part-${n}`,
      ratings: [rating(`user-${n % 20}`, `item-${n}`, 1 + (n % 5))],
    }),
  );
  const broken = server.client.rateStream();
  for (const each of requests) broken.send(each);
  const answered = await broken.take(50);
  await server.kill();
  await broken.take().catch(() => {});
  await server.start();
  const again = server.client.rateStream();
  for (const each of requests) again.send(each);
  const answers = await again.finish();
  assert.equal(answers.length, requests.length);
  for (const [n, { revision }] of answered.entries()) {
    assert.deepEqual([answers[n].revision, answers[n].duplicate], [revision, true]);
  }
  // What was taken before the end is taken in order: first duplicates, then new ones.
  const firstNew = answers.findIndex(({ duplicate }) => !duplicate);
  assert(firstNew < 0 || answers.slice(firstNew).every(({ duplicate }) => !duplicate));
  const undisturbed = await TestServer.start(t);
  await undisturbed.client.rate(ratings);
  const stream = undisturbed.client.rateStream();
  for (const each of requests) stream.send(each);
  await stream.finish();
  const tables = async (of: Client) => (await of.getModel('mean')).hashes?.tables;
  assert.equal(await tables(server.client), await tables(undisturbed.client));
});

async function stateOf(client: Client): Promise<unknown[]> {
  const { hash, hashes, model } = await client.getModel('mean');
  return [hash, hashes, model?.revision];
}
