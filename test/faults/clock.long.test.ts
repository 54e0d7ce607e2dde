import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchFiles } from '../support/byte-search.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { untilWritable } from './health.ts';
import { Faults, skip } from './preload/preload.ts';
import { Ledger } from './traffic/ledger.ts';
import { KINDS } from './traffic/reference.ts';
import { Traffic } from './traffic/traffic.ts';
import { settle, verifyState } from './traffic/verify.ts';

/** A clock of the day that jumps: nothing waits for it, nothing is lost or doubled. */

const HOUR = 3600;
const DAY = 24 * HOUR;
const CONFIG = { ...TEST_CONFIG, kinds: KINDS };

test('it jumps forward and back under load', { skip, timeout: 120_000 }, async (t) => {
  const faults = new Faults(t);
  const server = await ServerProcess.start(t, CONFIG, { env: faults.env });
  const ledger = new Ledger('clock');
  const traffic = new Traffic(server, ledger, randomNumbers(1));
  for (const seconds of [20 * HOUR, -4 * HOUR, 0, 10, -10]) {
    await sleep(200);
    faults.clock(seconds);
  }
  await sleep(200);
  await traffic.end();
  await settle(server.client, ledger);
  await verifyState(t, server.client, server.data, CONFIG);
  const before = await server.client.getModel('mean');
  await server.kill();
  faults.clock(-3 * DAY);
  await server.start();
  assert.deepEqual(await server.client.getModel('mean'), before);
});

test('the server sees the clock that it is given, and times of the future are refused by it', { skip }, async (t) => {
  const faults = new Faults(t);
  const { client } = await ServerProcess.start(t, {}, { env: faults.env });
  const now = { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 };
  faults.clock(-2 * DAY);
  const failure = await failureOf(client.rate([rating('ann', 'matrix', 3, { eventTime: now })]));
  assert.deepEqual(Object.keys(failure.fields), ['ratings[0].event_time']);
  faults.clock(0);
  await client.rate([rating('ann', 'matrix', 3, { eventTime: now })]);
});

test('a disk is tried again also when the clock went back since it failed', { skip }, async (t) => {
  const faults = new Faults(t);
  const server = await ServerProcess.start(t, {}, { env: faults.env });
  const { client } = server;
  const ratings = [rating('ann', 'matrix', 3)];
  faults.disk('write', { code: 'EIO' });
  await failureOf(client.rate(ratings, { requestId: 'one' }));
  faults.clock(-DAY);
  faults.mend();
  await untilWritable(client);
  await client.rate(ratings, { requestId: 'one' });
  assert.equal((await client.allRatings('ann')).length, 1);
});

test('a request of days ago, which nobody can send again, is forgotten with its user', { skip }, async (t) => {
  const faults = new Faults(t);
  const server = await ServerProcess.start(t, CONFIG, { env: faults.env });
  const { client } = server;
  faults.clock(-3 * DAY);
  await client.rate([rating('ann', 'matrix', 3), rating('bob', 'matrix', 4)], { requestId: 'mail-of-ann-blake' });
  faults.clock(0);
  const expected = (await client.forgetUser('ann', true)).removals;
  const { removals } = await client.forgetUser('ann');
  const requestsIn = (places: typeof removals) => places.find(({ place }) => place === 'request_ids')?.count;
  assert.deepEqual([requestsIn(expected), requestsIn(removals)], [1n, 1n]);
  assert.deepEqual(searchFiles(server.data, ['ann-blake']), []);
});
