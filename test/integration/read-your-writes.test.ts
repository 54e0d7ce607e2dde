import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { RecommenderServiceService, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../support/client.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { errorOf } from '../support/status.ts';

/** min_revision: what was answered is seen by everyone, and what is on its way is waited for. */

test('what one client has rated another one sees', async (t) => {
  const server = await TestServer.start(t);
  const other = server.connect();
  await server.client.rate([rating('bob', 'matrix', 3), rating('bob', 'alien', 3)]);
  for (let n = 0; n < 200; n++) {
    const user = `user-${n}`;
    const { revision } = await server.client.rate([rating(user, 'matrix', 5)]);
    const answer = await other.recommend(user, { minRevision: revision, model: 'mean' });
    assert(answer.revision >= revision);
    assert.deepEqual(
      answer.items.map(({ itemId }) => itemId),
      ['alien'],
    );
  }
});

test('thousands of raters at once never meet a list that lacks their own rating', async (t) => {
  const server = await TestServer.start(t);
  const clients = [server.client, server.connect(), server.connect()];
  const PAIRS = 2000;
  const AT_ONCE = 64;
  let next = 0;
  const revisions: string[] = [];
  const worker = async () => {
    for (let n = next++; n < PAIRS; n = next++) {
      const [user, item] = [`user-${n % 500}`, `item-${Math.floor(n / 500)}-${n % 7}`];
      const { revision } = await clients[n % 3].rate([rating(user, item, 1 + (n % 5))]);
      // The other connection may even ask without naming the revision: the answer was given after learning.
      const options = n % 2 === 0 ? { minRevision: revision } : {};
      const answer = await clients[(n + 1) % 3].recommend(user, { model: 'mean', pageSize: 100, ...options });
      assert(answer.revision >= revision, `${answer.revision} is older than ${revision}`);
      assert(
        answer.items.every(({ itemId }) => itemId !== item),
        `${item} was just rated by ${user}`,
      );
      revisions.push(revision);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  assert.equal(new Set(revisions).size, PAIRS);
});

/** Revisions are given one by one: the next one is known. */
const afterRevision = (revision: string) => String(Number(revision) + 1).padStart(20, '0');

test('what is on its way is waited for: within the deadline, until the client goes, until it is there', async (t) => {
  const gate = new Gate(t);
  const held = await TestServer.start(t, {
    metrics: { listen: '127.0.0.1:0' },
    models: [...TEST_CONFIG.models, gate.model],
  });
  const reader = held.connect();
  const first = await held.client.rate([rating('bob', 'alien', 3), rating('bob', 'matrix', 3)]);
  const rated = held.client.rate([heldRating('ann', 'matrix')]);
  const revision = afterRevision(first.revision);
  await gate.held();

  const late = await errorOf(reader.recommend('ann', { minRevision: revision }, { deadline: Date.now() + 150 }));
  assert.equal(late.code, status.DEADLINE_EXCEEDED);
  // Whoever does not name the revision is not kept waiting.
  assert((await reader.recommend('ann')).revision < revision);

  const waits = Array.from({ length: 20 }, () => openWait(reader, revision));
  await reader.recommend('ann');
  for (const { call } of waits) call.cancel();
  for (const wait of waits) assert.equal((await errorOf(wait.next())).code, status.CANCELLED);
  await until(async () => (await endedCalls(held)) >= 21, 'the calls that were given up end at the server too');

  let isRated = false;
  void rated.then(() => (isRated = true));
  const waiting = reader.recommend('ann', { minRevision: revision, model: 'mean' });
  await sleep(50);
  assert.equal(isRated, false);
  gate.open();
  const answer = await waiting;
  assert(answer.revision >= revision);
  assert.deepEqual(
    answer.items.map(({ itemId }) => itemId),
    ['alien'],
  );
  assert.equal((await rated).revision, revision);
});

/** A Recommend that waits for a revision, as a call that can be cancelled. */
function openWait(client: Client, minRevision: string) {
  const wait = client.open(RecommenderServiceService.recommend);
  wait.send(RecommendRequest.fromPartial({ subject: { $case: 'userId', value: 'ann' }, minRevision }));
  wait.call.end();
  return wait;
}

/** Recommend calls that the server has counted as given up. */
async function endedCalls(server: TestServer): Promise<number> {
  const text = await (await fetch(server.url('/metrics'))).text();
  const lines = text
    .split('\n')
    .filter((line) => /^rpc_server_call_duration_seconds_count.*Recommend".*(CANCELLED|DEADLINE)/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert(tries < 100, `waited in vain: ${what}`);
    await sleep(20);
  }
}
