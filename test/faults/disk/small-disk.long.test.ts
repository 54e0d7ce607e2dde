import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomNumbers } from '../../support/ratings.ts';
import { TEST_CONFIG } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { isWritable, untilWritable } from '../health.ts';
import { Ledger } from '../traffic/ledger.ts';
import { KINDS } from '../traffic/reference.ts';
import { Traffic } from '../traffic/traffic.ts';
import { settle, verifyState } from '../traffic/verify.ts';
import { SmallDisk, skip } from './mount.ts';

/** A disk that ratings fill, in the middle of a link and at its end; there is more room later. */

test('a disk runs full under load, and there is room again', { skip, timeout: 120_000 }, async (t) => {
  const disk = new SmallDisk(t, 3);
  const data = join(disk.folder, 'data');
  const config = { ...TEST_CONFIG, kinds: KINDS, journal: { linkMiB: 1 } };
  const server = await ServerProcess.start(t, { ...config, data });
  const ledger = new Ledger('small');
  const traffic = new Traffic(server, ledger, randomNumbers(1));
  for (const mib of [5, 9]) {
    await server.said('ratings cannot be made durable; trying again every second');
    while (await isWritable(server.client));
    assert.equal((await server.client.recommend('user-1')).model, 'mean');
    disk.resize(mib);
    await untilWritable(server.client);
  }
  // It is full once more, and the server is killed then.
  while (await isWritable(server.client));
  await server.kill();
  await traffic.done;
  assert((traffic.refusals.DISK_FULL ?? 0) > 0, JSON.stringify(traffic.refusals));

  disk.resize(64);
  await server.start();
  await settle(server.client, ledger);
  t.diagnostic(`${ledger.acknowledgedCount} acknowledged, refusals: ${JSON.stringify(traffic.refusals)}`);
  await verifyState(t, server.client, data, config);
});

test('a full disk stops a start that has to write, and says so', { skip, timeout: 60_000 }, async (t) => {
  const disk = new SmallDisk(t, 1);
  const server = ServerProcess.begin(t, { data: join(disk.folder, 'data'), journal: { linkMiB: 1 } });
  const ledger = new Ledger('start');
  await server.ready();
  const traffic = new Traffic(server, ledger, randomNumbers(1), { ratingsAlone: true });
  await server.said('ratings cannot be made durable; trying again every second');
  await server.kill();
  await traffic.done;
  server.spawn();
  // It may find room for all that a start needs, or say what is missing.
  const ended = await Promise.race([server.exited, server.ready()]);
  if (ended) {
    assert.equal(ended.code, 1);
    assert.match(server.stderr, /the disk is full/);
  }
  disk.resize(64);
  await server.kill();
  await server.start();
  await settle(server.client, ledger);
});
