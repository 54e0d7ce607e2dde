import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { type Exit, ServerProcess } from '../support/server-process.ts';
import { errorOf, readFailure } from '../support/status.ts';
import type { Scope } from '../support/temporary-folder.ts';

/** SIGTERM: no new calls, what runs is finished, then the process ends with 0. */

const ENDED: Exit = { code: 0, signal: null };
const PATIENCE_MS = 5000;

async function startGated(t: Scope, drainMs = 30_000) {
  const gate = new Gate(t);
  const models = [...TEST_CONFIG.models, gate.model];
  const config = { models, drain: { timeoutMs: drainMs }, metrics: { listen: '127.0.0.1:0' } };
  return { gate, server: await ServerProcess.start(t, config) };
}

test('an idle server ends at once, also with connections and streams open', async (t) => {
  const server = await ServerProcess.start(t);
  const stream = server.client.rateStream();
  stream.send(RateStreamRequest.fromPartial({ ratings: [rating('ann', 'matrix', 4)] }));
  await stream.next();
  const began = Date.now();
  assert.deepEqual(await server.stop(), ENDED);
  assert(Date.now() - began < PATIENCE_MS, `it took ${Date.now() - began} ms`);
  const failure = readFailure(await errorOf(stream.next()));
  assert.deepEqual([failure.code, failure.reason], ['UNAVAILABLE', 'DRAINING']);
});

test('calls that run are finished, streams get what they asked for and then DRAINING, a second signal changes nothing', async (t) => {
  const { gate, server } = await startGated(t);
  const held = server.client.rate([heldRating('ann', 'matrix')], { requestId: 'held' });
  await gate.held();
  const stream = server.connect().rateStream();
  for (let n = 0; n < 20; n++) stream.send(RateStreamRequest.fromPartial({ ratings: [rating('ann', `item-${n}`, 4)] }));
  await sleep(200);

  server.signal('SIGTERM');
  await sleep(200);
  server.signal('SIGTERM');
  server.signal('SIGINT');
  assert.equal((await errorOf(server.connect().recommend('ann'))).code, status.UNAVAILABLE);
  gate.open();
  assert.equal((await held).acceptedCount, 1);
  for (let n = 0; n < 20; n++) assert.equal((await stream.next())?.acceptedCount, 1);
  const failure = readFailure(await errorOf(stream.next()));
  assert.deepEqual([failure.code, failure.reason], ['UNAVAILABLE', 'DRAINING']);
  assert.deepEqual(await server.exited, ENDED);

  // What was answered is there.
  await server.start();
  assert.equal((await server.client.rate([heldRating('ann', 'matrix')], { requestId: 'held' })).duplicate, true);
  assert.equal((await server.client.allRatings('ann')).length, 21);

  // SIGINT drains too.
  server.signal('SIGINT');
  assert.deepEqual(await server.exited, ENDED);
});

test('after drain.timeoutMs what still runs is cut off', async (t) => {
  const { gate, server } = await startGated(t, 300);
  const held = errorOf(server.client.rate([heldRating('ann', 'matrix')]));
  await gate.held();
  const began = Date.now();
  assert.deepEqual(await server.stop(), ENDED);
  const took = Date.now() - began;
  assert(took >= 300 && took < PATIENCE_MS, `it took ${took} ms`);
  assert([status.UNAVAILABLE, status.CANCELLED].includes((await held).code));
});

test('while it replays it listens, lets calls wait, and can be stopped', async (t) => {
  const { gate, server } = await startGated(t);
  gate.open();
  await server.client.rate([heldRating('ann', 'matrix'), rating('ann', 'alien', 2)]);
  await server.kill();
  gate.shut();

  server.spawn();
  await server.listening();
  await gate.held();
  assert.equal((await fetch(server.url('/livez'))).status, 200);
  assert.equal((await fetch(server.url('/readyz'))).status, 503);
  const late = await errorOf(server.client.recommend('ann', {}, { deadline: Date.now() + 100 }));
  assert.equal(late.code, status.DEADLINE_EXCEEDED);
  const waiting = errorOf(server.client.recommend('ann'));
  const stream = server.client.rateStream();
  await sleep(100);
  const began = Date.now();
  assert.deepEqual(await server.stop(), ENDED);
  assert(Date.now() - began < PATIENCE_MS, `it took ${Date.now() - began} ms`);
  for (const error of [await waiting, await errorOf(stream.next())]) {
    const failure = readFailure(error);
    assert.deepEqual([failure.code, failure.reason], ['UNAVAILABLE', 'DRAINING']);
  }

  server.spawn();
  await server.listening();
  const patient = server.client.recommend('ann', { includeSeen: true });
  gate.open();
  assert.equal((await patient).items.length, 2);
});

test('a signal at any moment of the start ends it well', async (t) => {
  const server = ServerProcess.begin(t);
  for (const delayMs of [150, 300, 450]) {
    await sleep(delayMs);
    const { code, signal } = await server.stop();
    // Before the program has begun to run, nobody but the system answers to the signal.
    assert(code === 0 || signal === 'SIGTERM', `after ${delayMs} ms: ${code}, ${signal}\n${server.stderr}`);
    server.spawn();
  }
  await server.ready();
  await server.client.rate([rating('ann', 'matrix', 4)]);
});
