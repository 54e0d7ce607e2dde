import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateStreamRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import { rating } from '../../support/ratings.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { isWritable } from '../health.ts';
import { Faults, skip } from '../preload/preload.ts';

/** A slow disk makes ratings slow, and nothing else. */

const DELAY_MS = 400;

test('ratings wait for it together, recommendations do not', { skip }, async (t) => {
  const faults = new Faults(t);
  const server = await ServerProcess.start(t, {}, { env: faults.env });
  const { client } = server;
  await client.rate([rating('ann', 'matrix', 3), rating('bob', 'alien', 4)]);
  await client.recommend('ann');

  faults.disk('sync', { delayMs: DELAY_MS });
  const stream = server.connect().rateStream();
  const startMs = performance.now();
  const REQUESTS = 200;
  for (let n = 0; n < REQUESTS; n++) {
    stream.send(RateStreamRequest.fromPartial({ requestId: `slow-${n}`, ratings: [rating('cleo', `item-${n}`, 3)] }));
  }
  const answers = stream.take(REQUESTS);
  const waits: number[] = [];
  let rated = false;
  void answers.then(() => (rated = true));
  while (!rated) {
    const askedMs = performance.now();
    assert.equal((await client.recommend('ann')).model, 'mean');
    waits.push(performance.now() - askedMs);
  }
  const tookMs = performance.now() - startMs;
  faults.mend();

  assert((await answers).every(({ error }) => error === undefined));
  assert(tookMs >= DELAY_MS, `they were answered after ${tookMs} ms, before the disk had them`);
  // Each append takes what has come meanwhile: a few, where there are many requests.
  assert(tookMs < 8 * DELAY_MS, `${REQUESTS} ratings took ${tookMs} ms`);
  const worst = Math.max(...waits);
  t.diagnostic(`${waits.length} recommendations meanwhile, the slowest after ${worst.toFixed(1)} ms`);
  assert(worst < DELAY_MS / 2, `a recommendation took ${worst} ms`);
  assert.equal(await isWritable(client), true);
  assert.equal((await client.allRatings('cleo')).length, REQUESTS);
});
