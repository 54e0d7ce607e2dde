import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { rating } from '../../support/ratings.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { SmallDisk, skip } from './mount.ts';

test('a store that cannot be written stops the start, which says so; nothing is changed', { skip }, async (t) => {
  const disk = new SmallDisk(t, 64);
  const data = join(disk.folder, 'data');
  const server = await ServerProcess.start(t, { data });
  await server.client.rate([rating('ann', 'matrix', 4)], { requestId: 'one' });
  const before = await server.client.getModel('mean');
  await server.stop();

  disk.makeReadOnly();
  server.spawn();
  assert.deepEqual(await server.exited, { code: 1, signal: null });
  assert(server.stderr.includes(data), server.stderr);
  assert.match(server.stderr, /cannot be written|read-only/i);

  disk.resize(64);
  await server.start();
  assert.deepEqual(await server.client.getModel('mean'), before);
  assert.equal((await server.client.rate([rating('ann', 'matrix', 4)], { requestId: 'one' })).duplicate, true);
});
