import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../../support/ratings.ts';
import { TEST_CONFIG } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { untilWritable } from '../health.ts';
import { Faults } from '../preload/preload.ts';
import { Ledger } from '../traffic/ledger.ts';
import { KINDS } from '../traffic/reference.ts';
import { Traffic } from '../traffic/traffic.ts';
import { settle, verifyState } from '../traffic/verify.ts';

/** A disk that fails and works again, in turn, while many clients stream: what was acknowledged is there once. */

const SEED = Number(process.env.FAULTS_SEED || 1);
// Memory for the ids of all requests of a fast machine: what is left open is sent again only in the end.
const CONFIG = { ...TEST_CONFIG, kinds: KINDS, journal: { linkMiB: 1 }, memory: { budgetMiB: 1024 } };
const KINDS_OF_FAULTS = [
  { calls: 'write', code: 'EIO' },
  { calls: 'sync', code: 'EIO' },
  { calls: 'write', code: 'ENOSPC' },
  { calls: 'all', delayMs: 60 },
] as const;

export async function flappingDisk(t: TestContext, times: number): Promise<void> {
  t.diagnostic(`FAULTS_SEED=${SEED}`);
  const random = randomNumbers(SEED);
  const faults = new Faults(t);
  const server = await ServerProcess.start(t, CONFIG, { env: faults.env });
  const ledger = new Ledger('flapping');
  const traffic = new Traffic(server, ledger, random);
  let isOver = false;
  const ended = server.exited.then((exit) => {
    assert(isOver, `the server ended: ${JSON.stringify(exit)}\n${server.stderr.slice(-4000)}`);
  });
  await Promise.race([ended, flap(server, faults, random, times)]);
  await traffic.end();
  const open = ledger.unknown.length;
  const there = await settle(server.client, ledger);
  await verifyState(t, server.client, server.data, CONFIG);
  isOver = true;
  await server.kill();
  await server.start();
  await settle(server.client, ledger);
  t.diagnostic(
    `${ledger.acknowledgedCount} acknowledged; ${open} were left open, of which ${there} were there; ` +
      `refusals: ${JSON.stringify(traffic.refusals)}`,
  );
  assert((traffic.refusals.APPEND_FAILED ?? 0) > 0, 'no append failed');
}

async function flap(server: ServerProcess, faults: Faults, random: () => number, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await sleep(50 + 300 * random());
    const { calls, ...how } = KINDS_OF_FAULTS[n % KINDS_OF_FAULTS.length];
    faults.disk(calls, how);
    await sleep(50 + 1000 * random() ** 3);
    faults.mend();
    await untilWritable(server.client);
  }
}
