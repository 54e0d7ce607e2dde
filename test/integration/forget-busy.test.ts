import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GONE, tracesIn } from '../support/forgotten.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';

/** Nobody is turned away who is to be forgotten: a note of them is written already. */

test('someone is forgotten while the learner has more to do than it takes', { skip: leftOut }, async (t) => {
  const gate = new Gate(t);
  const config = { models: [TEST_CONFIG.models[0], gate.model], ring: { mib: 8 }, limits: { messageBytes: 2 ** 20 } };
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  gate.open();
  await client.upsertUsers([{ userId: GONE, labels: ['label-of-ann-alone'] }]);
  gate.shut();
  const held = client.rate([heldRating('bob', 'held')]);
  await gate.held();
  const sent: Promise<unknown>[] = [];
  // Ever smaller ones, until none fits.
  for (const [count, user] of [
    [2000, 'u'.repeat(200)],
    [50, 'u'.repeat(200)],
    [1, 'u'.repeat(200)],
    [1, 'u'],
  ] as const) {
    const ratings = Array.from({ length: count }, (_, n) => rating(user, `i${n}`, 3));
    for (let isFull = false; !isFull; ) {
      const refused = failureOf(client.rate(ratings)).catch(() => undefined);
      sent.push(refused);
      isFull = (await Promise.race([refused, sleep(20)]))?.reason === 'QUEUE_FULL';
    }
  }
  const forgetting = client.forgetUser(GONE);
  const outcome = forgetting.then(
    () => 'done',
    (error) => `failed: ${error}`,
  );
  assert.equal(await Promise.race([outcome, sleep(1000, 'it waits')]), 'it waits');
  gate.open();
  assert.ok((await forgetting).removals.length > 0);
  await Promise.all([held, ...sent]);
  assert.deepEqual(tracesIn(server.data), []);
});
