import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateStreamRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import { randomNumbers, rating } from '../../support/ratings.ts';
import { ServerProcess } from '../../support/server-process.ts';

/** Streams that send all they have at once leave room in the queue for others, who are not refused. */

const STREAMS = 12;
const BATCH = 10_000;
const LONGEST_MS = 10_000;

test('single ratings are taken beside many imports', { timeout: 120_000 }, async (t) => {
  // The plain form: this is about places in the queue, not about what a rating costs a model.
  const models = [{ name: 'mf', plugin: 'mf', config: { base: 'biases', ranking: 'taste' } }];
  const server = await ServerProcess.start(t, { models, memory: { budgetMiB: 1024 } });
  const random = randomNumbers(1);
  const ratings = Array.from({ length: BATCH }, () =>
    rating(`user-${Math.floor(random() * 2000)}`, `item-${Math.floor(random() * 1000)}`, 1 + Math.floor(random() * 5)),
  );
  const streams = Array.from({ length: STREAMS }, () => server.connect().rateStream());
  for (const stream of streams) for (let n = 0; n < 8; n++) stream.send(RateStreamRequest.fromPartial({ ratings }));
  for (const stream of streams.slice(0, 2)) await stream.next();

  const waits: number[] = [];
  const one = server.connect();
  let imported = false;
  const imports = Promise.all(streams.map((stream) => stream.finish())).then((answers) => {
    imported = true;
    return answers.flat();
  });
  while (!imported) {
    const startMs = performance.now();
    assert.equal((await one.rate([rating('ann', `item-${waits.length}`, 3)])).acceptedCount, 1);
    waits.push(performance.now() - startMs);
  }
  assert((await imports).every(({ error }) => error === undefined));
  const worst = Math.max(...waits);
  t.diagnostic(`${waits.length} ratings beside ${STREAMS} imports, the slowest after ${worst.toFixed(0)} ms`);
  assert(waits.length > 0 && worst < LONGEST_MS);
});
