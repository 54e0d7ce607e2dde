import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { ExportRatingsRequest, type RatingBatch, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { readMovieLensSmall } from '../data.ts';
import type { Client } from '../support/client.ts';
import { batchesOf, rating, retraction } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { errorOf, readFailure } from '../support/status.ts';

/** ExportRatings: everything that was rated, as it came. */

const KIB = 1024;
const { client } = await TestServer.start({ after }, { rating: { min: 0, max: 10 } });

function revision(n: number): string {
  return String(n).padStart(20, '0');
}

async function exportOf(client: Client, range: Partial<ExportRatingsRequest> = {}): Promise<RatingBatch[]> {
  const answers = await client.collect(UserServiceService.exportRatings, ExportRatingsRequest.fromPartial(range));
  return answers.flatMap(({ event }) => (event?.$case === 'batch' ? [event.value] : []));
}

test('every rating as it came, with edits and retractions, and always a time', async () => {
  assert.deepEqual(await exportOf(client), []);
  const eventTime = { seconds: 1_700_000_000n, nanos: 123_456_789 };
  const sent: Rating[][] = [
    [rating('ann', 'matrix', 4, { eventTime, weight: 2.5, recommendationId: 'r-1' }), rating('bob', 'matrix', 0)],
    [rating('ann', 'matrix', 9)],
    [retraction('bob', 'matrix'), rating('żółw', '映画', 7.25, { weight: 0 })],
  ];
  const revisions: string[] = [];
  for (const ratings of sent) revisions.push((await client.rate(ratings)).revision);
  const batches = await exportOf(client);
  assert.deepEqual(
    batches.map(({ revision }) => revision),
    revisions,
  );
  for (const [n, batch] of batches.entries()) {
    assert(batch.receivedAt);
    const expected = sent[n].map((one) => ({ ...one, eventTime: one.eventTime ?? batch.receivedAt }));
    assert.deepEqual(batch.ratings, expected);
  }
  assert.deepEqual(await exportOf(client, { firstRevision: revisions[1], lastRevision: revisions[1] }), [batches[1]]);
  assert.deepEqual(await exportOf(client, { lastRevision: revisions[0] }), [batches[0]]);
  assert.deepEqual(await exportOf(client, { firstRevision: revisions[2] }), [batches[2]]);
});

test('a range that does not exist is refused', async () => {
  const last = await client.rate([rating('ann', 'matrix', 4)]);
  const beyondLast = revision(Number(last.revision) + 1);
  const refusal = async (range: Partial<ExportRatingsRequest>) => readFailure(await errorOf(exportOf(client, range)));
  const beyond = await refusal({ lastRevision: beyondLast });
  assert.deepEqual([beyond.code, beyond.reason], ['OUT_OF_RANGE', 'REVISION_BEYOND_LAST']);
  assert.equal(beyond.metadata.last_revision, last.revision);
  assert.equal((await refusal({ firstRevision: beyondLast })).reason, 'REVISION_BEYOND_LAST');
  const empty = await refusal({ firstRevision: revision(2), lastRevision: revision(1) });
  assert.deepEqual(
    [empty.code, empty.reason, Object.keys(empty.fields)],
    ['INVALID_ARGUMENT', 'INVALID_FIELD', ['first_revision']],
  );
  const none = await refusal({ firstRevision: 'first', lastRevision: revision(0) });
  assert.deepEqual([none.reason, Object.keys(none.fields)], ['INVALID_FIELD', ['first_revision', 'last_revision']]);
});

test('a large batch comes in several messages of one revision', async () => {
  const ratings = Array.from({ length: 10_000 }, (_, n) => rating(`user-${n}`, `an item with a long name ${n}`, 3));
  const range = { firstRevision: (await client.rate(ratings)).revision };
  const answers = await client.collect(UserServiceService.exportRatings, ExportRatingsRequest.fromPartial(range));
  const sizes = answers.map((answer) => UserServiceService.exportRatings.responseSerialize(answer).length);
  assert(Math.max(...sizes) < 260 * KIB && Math.max(...sizes) > 100 * KIB, `messages have ${sizes} bytes`);
  const batches = await exportOf(client, range);
  assert(batches.length > 2);
  assert.deepEqual([...new Set(batches.map((batch) => batch.revision))], [range.firstRevision]);
  assert.deepEqual(
    batches.flatMap((batch) => batch.ratings.map(({ userId }) => userId)),
    ratings.map(({ userId }) => userId),
  );
});

test('an export that is rated again on a new server gives the same state', { timeout: 60_000 }, async (t) => {
  const models = [
    { name: 'mf', plugin: 'mf' },
    { name: 'popularity', plugin: 'popularity' },
  ];
  const config = { models, rating: { min: 0.5, max: 5 }, evaluation: { rankEvery: 100 } };
  const [{ client }, { client: fresh }] = await Promise.all([TestServer.start(t, config), TestServer.start(t, config)]);
  const data = readMovieLensSmall();
  for (const ratings of batchesOf(data, 0, 8000, 700)) await client.rate(ratings);
  for (const ratings of batchesOf(data, 0, 300, 10)) {
    // Edits, retractions, and ratings without a time.
    await client.rate(
      ratings.map((one, n) => (n % 3 === 0 ? { ...one, retract: true } : { ...one, value: 1, eventTime: undefined })),
    );
  }
  const all = (await exportOf(client)).flatMap(({ ratings }) => ratings);
  assert.equal(all.length, 8300);
  for (let n = 0; n < all.length; n += 333) await fresh.rate(all.slice(n, n + 333));
  for (const { name } of models) {
    const [before, after] = [await client.getModel(name), await fresh.getModel(name)];
    assert.notEqual(before.model?.revision, after.model?.revision);
    const hashes = ({ hashes }: typeof before) => [hashes?.tables, hashes?.ids, hashes?.interactions];
    assert.deepEqual(hashes(after), hashes(before));
  }
});

test('an export that is cancelled ends, and frees its place', async (t) => {
  const { client } = await TestServer.start(t, { jobs: { max: 1 }, rating: { min: 0.5, max: 5 } });
  const data = readMovieLensSmall();
  for (const ratings of batchesOf(data, 0, 50_000, 10_000)) await client.rate(ratings);
  const cancelled = client.watch(UserServiceService.exportRatings, ExportRatingsRequest.create());
  await once(cancelled, 'data');
  cancelled.cancel();
  assert.equal((await once(cancelled, 'error').catch((error) => [error]))[0].code, status.CANCELLED);
  const began = performance.now();
  while (performance.now() - began < 2000) {
    const ended = await exportOf(client).then(
      (batches) => batches.length,
      (error) => readFailure(error).reason,
    );
    if (typeof ended === 'number') return assert(ended > 4);
    assert.equal(ended, 'JOBS_FULL');
    await sleep(10);
  }
  assert.fail('the place was never freed');
});
