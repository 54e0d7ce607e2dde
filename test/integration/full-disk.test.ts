import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { journalBytes, limitFiles, skip } from '../support/full-disk.ts';
import { rating } from '../support/ratings.ts';
import { ServerProcess } from '../support/server-process.ts';
import { errorOf, failureOf, readFailure } from '../support/status.ts';

/** When nothing can be made durable, ratings are refused and all else goes on; when there is room again, so do ratings. */

const SERVING = 1;
const NOT_SERVING = 2;

test('a full disk refuses ratings, and nothing else', { skip }, async (t) => {
  const server = await ServerProcess.start(t);
  const { client } = server;
  const writable = async () => (await client.call(HealthService.check, { service: 'accrete.write' })).status;
  await client.rate([rating('bob', 'matrix', 3), rating('bob', 'alien', 4)]);
  const first = await client.getModel('mean');

  limitFiles(server, journalBytes(server));
  const ratings = [rating('ann', 'matrix', 4)];
  const failure = await failureOf(client.rate(ratings, { requestId: 'kept' }));
  assert.deepEqual([failure.code, failure.reason], ['RESOURCE_EXHAUSTED', 'DISK_FULL']);
  assert(failure.retryMs !== undefined && failure.retryMs > 0);
  assert.equal(await writable(), NOT_SERVING);
  assert.equal((await client.call(HealthService.check, { service: '' })).status, SERVING);
  assert.equal((await client.recommend('bob')).model, 'mean');
  assert.equal((await client.allRatings('ann')).length, 0);
  assert.equal((await client.getModel('mean')).hash, first.hash);

  const stream = client.rateStream();
  stream.send(RateStreamRequest.fromPartial({ ratings }));
  assert.equal(readFailure(await errorOf(stream.take())).reason, 'DISK_FULL');
  // Mistakes are told as such, also now.
  assert.equal((await failureOf(client.rate([]))).reason, 'INVALID_FIELD');

  limitFiles(server, 'unlimited');
  await server.said('ratings are durable again');
  assert.equal(await writable(), SERVING);
  await client.rate(ratings, { requestId: 'kept' });
  assert.equal((await client.rate(ratings, { requestId: 'kept' })).duplicate, true);
  assert.equal((await client.allRatings('ann')).length, 1);

  const before = await client.getModel('mean');
  await server.kill();
  await server.start();
  assert.deepEqual(await server.client.getModel('mean'), before);
});
