import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { rating } from '../../support/ratings.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { failureOf } from '../../support/status.ts';
import { isWritable, untilWritable } from '../health.ts';
import { Faults, skip } from '../preload/preload.ts';

/** When the disk fails, in each of its ways, ratings are refused and the rest goes on; then it recovers by itself. */

/** Longer than the server waits before it tries the disk again. */
const TRIED_AGAIN_MS = 1200;

const faults = new Faults({ after });
const server = skip ? undefined : await ServerProcess.start({ after }, {}, { env: faults.env });

const CASES = [
  { name: 'writes fail (EIO)', calls: 'write', code: 'EIO', reason: 'APPEND_FAILED' },
  { name: 'flushes alone fail (EIO)', calls: 'sync', code: 'EIO', reason: 'APPEND_FAILED' },
  { name: 'it became read-only (EROFS)', calls: 'all', code: 'EROFS', reason: 'APPEND_FAILED' },
  { name: 'it is full (ENOSPC)', calls: 'write', code: 'ENOSPC', reason: 'DISK_FULL' },
] as const;

for (const [n, { name, calls, code, reason }] of CASES.entries()) {
  test(name, { skip }, async (t) => {
    t.after(() => faults.mend());
    assert(server);
    const { client } = server;
    const user = `user-${n}`;
    await client.rate([rating(user, 'matrix', 3), rating(user, 'alien', 4)], { requestId: `before-${n}` });
    const before = await client.getModel('mean');

    faults.disk(calls, { code });
    const ratings = [rating(user, 'brazil', 5)];
    const failure = await failureOf(client.rate(ratings, { requestId: `failed-${n}` }));
    assert.equal(failure.reason, reason);
    assert(failure.retryMs !== undefined && failure.retryMs > 0);
    for (const waitMs of [0, TRIED_AGAIN_MS]) {
      await sleep(waitMs);
      assert.equal(await isWritable(client), false);
      assert.equal(await isWritable(client, ''), true, 'health of the server itself');
      assert.equal((await client.recommend(user)).model, 'mean');
      assert.equal((await client.getModel('mean')).hash, before.hash);
      assert.equal((await failureOf(client.rate([rating(user, 'other', 5)]))).reason, reason);
    }

    faults.mend();
    await untilWritable(client);
    await client.rate(ratings, { requestId: `failed-${n}` });
    assert.equal((await client.rate(ratings, { requestId: `failed-${n}` })).duplicate, true);
    const items = (await client.allRatings(user)).map(({ itemId }) => itemId);
    // What was sent without a request_id may have been taken, as its refusal says.
    assert.deepEqual(
      items.filter((item) => item !== 'other'),
      ['brazil', 'alien', 'matrix'],
    );
  });
}

test('what was acknowledged meanwhile is there after a kill', { skip }, async () => {
  assert(server);
  const last = await server.client.getModel('mean');
  await server.kill();
  await server.start();
  assert.deepEqual(await server.client.getModel('mean'), last);
});
