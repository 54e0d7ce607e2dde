import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../support/client.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { errorOf, failureOf, readStatus } from '../support/status.ts';

/** RateStream: one answer for each request, in order, however fast or slow the two sides are. */

const server = await TestServer.start({ after }, { metrics: { listen: '127.0.0.1:0' } });
const { client } = server;

/** A request of so many ratings, all of one user. */
function request(n: number, count = 1, more: Partial<RateStreamRequest> = {}): RateStreamRequest {
  const ratings = Array.from({ length: count }, (_, item) =>
    rating(`user-${n % 50}`, `item-${n}-${item}`, 1 + (n % 5)),
  );
  return RateStreamRequest.fromPartial({ ratings, ...more });
}

test('thousands of requests are answered in their order, refusals in their place', async () => {
  const COUNT = 5000;
  const stream = client.rateStream();
  const isBad = (n: number) => n % 97 === 5;
  for (let n = 0; n < COUNT; n++)
    stream.send(isBad(n) ? request(n, 1, { ratings: [rating('ann', '', n)] }) : request(n, 1 + (n % 3)));
  const answers = await stream.finish();
  assert.equal(answers.length, COUNT);
  let last = '';
  for (const [n, { revision, acceptedCount, error }] of answers.entries()) {
    assert.equal(error && readStatus(error).reason, isBad(n) ? 'INVALID_FIELD' : undefined, `answer ${n}`);
    if (isBad(n)) continue;
    assert.equal(acceptedCount, 1 + (n % 3));
    assert(revision > last, `answer ${n}: ${revision} does not follow ${last}`);
    last = revision;
  }
});

test('streams and single calls side by side each get their own answers', async () => {
  const streams = Array.from({ length: 5 }, () => server.connect().rateStream());
  for (let n = 0; n < 300; n++) for (const [s, stream] of streams.entries()) stream.send(request(n, s + 1));
  const single = await Promise.all(Array.from({ length: 100 }, () => client.rate([rating('ann', 'matrix', 4)])));
  assert(single.every(({ acceptedCount }) => acceptedCount === 1));
  for (const [s, stream] of streams.entries()) {
    const answers = await stream.finish();
    assert.deepEqual(
      answers.map(({ acceptedCount }) => acceptedCount),
      Array(300).fill(s + 1),
    );
  }
});

test('a stream without requests ends without answers', async () => {
  assert.deepEqual(await client.rateStream().finish(), []);
});

test('the client may end its side at once: what it sent is still answered', async () => {
  const stream = client.rateStream();
  stream.send(request(1));
  stream.call.end();
  assert.equal((await stream.take()).length, 1);
});

test('whoever does not read the answers is not read either, and loses nothing', async () => {
  const COUNT = 3000;
  const before = await learnedCount(client);
  const stream = client.rateStream();
  stream.call.pause();
  const sending = (async () => {
    for (let n = 0; n < COUNT; n++) await stream.sendInTurn(request(n, 100, { returnPredictions: ['mean'] }));
    stream.call.end();
  })();
  const taken = (await settled(() => learnedCount(client))) - before;
  assert(taken < (COUNT * 100) / 2, `${taken} ratings were learned while nobody read the answers`);
  // Others do not wait for it.
  await client.rate([rating('ann', 'alien', 4)]);
  stream.call.resume();
  const answers = await stream.take();
  await sending;
  assert.equal(answers.length, COUNT);
  assert.equal(await learnedCount(client), before + COUNT * 100 + 1);
});

test('a stream that its client gives up can be sent again: everything is learned once', async (t) => {
  const fresh = await TestServer.start(t);
  const requests = Array.from({ length: 1000 }, (_, n) => request(n, 3, { requestId: `part-${n}` }));
  const given = fresh.client.rateStream();
  for (const each of requests) given.send(each);
  const answered = await given.take(100);
  given.call.cancel();
  assert.equal((await errorOf(given.take())).code, status.CANCELLED);

  const again = fresh.client.rateStream();
  for (const each of requests) again.send(each);
  const answers = await again.finish();
  assert.deepEqual(
    answers.slice(0, 100).map(({ revision }) => revision),
    answered.map(({ revision }) => revision),
  );
  assert.equal(await learnedCount(fresh.client), 3000);
  assert.equal(new Set(answers.map(({ revision }) => revision)).size, requests.length);
  assert.deepEqual(
    answers.map(({ revision }) => revision).sort(),
    answers.map(({ revision }) => revision),
  );
});

test('while the queue is full single calls are told when to try again, and streams wait', async (t) => {
  const gate = new Gate(t);
  const small = await TestServer.start(t, { models: [...TEST_CONFIG.models, gate.model], ring: { mib: 8 } });
  const held = small.client.rate([heldRating('ann', 'matrix'), rating('bob', 'alien', 3)]);
  // Half a kilobyte a rating; only validated, so that it needs no disk.
  const sized = (count: number) =>
    RateStreamRequest.fromPartial({
      ratings: Array.from({ length: count }, (_, n) => rating('u'.repeat(256), `${n}`.padEnd(256, 'i'), 3)),
      validateOnly: true,
    });
  const flood = (calls: number, count: number) =>
    Array.from({ length: calls }, () => small.connect().rate(sized(count).ratings, sized(count)));
  await gate.held();
  const large = flood(20, 1700);
  await Promise.any(large.map((call) => failureOf(call)));
  const lesser = flood(60, 40);
  const outcomes = Promise.allSettled([...large, ...lesser]);
  const refused = await Promise.any(lesser.map((call) => failureOf(call)));
  assert.deepEqual([refused.code, refused.reason], ['RESOURCE_EXHAUSTED', 'QUEUE_FULL']);
  assert(refused.retryMs !== undefined && refused.retryMs > 0);

  const stream = small.connect().rateStream();
  const counts = Array.from({ length: 50 }, (_, n) => 41 + n);
  for (const count of counts) stream.send(sized(count));
  const finished = stream.finish();
  // Recommending needs no place in the queue.
  assert.equal((await small.client.recommend('ann', { model: 'popularity' })).model, 'popularity');
  assert.equal(await Promise.race([finished, sleep(200, 'waits')]), 'waits');

  gate.open();
  assert.equal((await held).acceptedCount, 2);
  const answers = await finished;
  assert.deepEqual(
    answers.map(({ acceptedCount }) => acceptedCount),
    counts,
  );
  const results = await outcomes;
  assert(
    results.some((result) => result.status === 'fulfilled') && results.some((result) => result.status === 'rejected'),
  );
  assert.equal((await small.client.rate([rating('ann', 'casino', 4)])).acceptedCount, 1);
});

async function learnedCount(of: Client): Promise<number> {
  return Number((await of.getModel('mean')).model?.learnedCount);
}

/** A number once it has stopped to grow. */
async function settled(read: () => Promise<number>): Promise<number> {
  let value = await read();
  for (;;) {
    await sleep(300);
    const next = await read();
    if (next === value && next > 0) return next;
    value = next;
  }
}
