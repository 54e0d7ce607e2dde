import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { Ledger } from './traffic/ledger.ts';
import { KINDS } from './traffic/reference.ts';
import { Traffic } from './traffic/traffic.ts';
import { settle, verifyState } from './traffic/verify.ts';

/** SIGTERM under load: the exit code is 0, and what was answered is there. */

const CONFIG = { ...TEST_CONFIG, kinds: KINDS };
const LONGEST_MS = 10_000;

test('a server that is stopped under load answers what it has taken, and ends well', {
  timeout: 120_000,
}, async (t) => {
  const server = await ServerProcess.start(t, CONFIG);
  const ledger = new Ledger('drain');
  for (let n = 0; n < 2; n++) {
    const traffic = new Traffic(server, ledger, randomNumbers(n + 1));
    await sleep(400);
    const startMs = performance.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    const tookMs = Math.round(performance.now() - startMs);
    assert(tookMs < LONGEST_MS, `it took ${tookMs} ms`);
    await traffic.done;
    const open = ledger.unknown.length;
    await server.start();
    const there = await settle(server.client, ledger);
    t.diagnostic(`stopped within ${tookMs} ms; ${open} requests were left open, of which ${there} were there`);
    // Calls and streams were told of all that was learned.
    assert.equal(there, 0);
  }
  await verifyState(t, server.client, server.data, CONFIG);
});
