import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { Arena } from '../../server/memory/arena.ts';
import { WritableWorld } from '../../server/memory/world.ts';
import { LmdbJournal } from '../../server/store/lmdb-journal.ts';
import { decodeRecord } from '../../server/store/record.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';

/** Everything that is stored belongs to a namespace, "" so far, so that others can come without a new format. */

/** See server/store/record.ts. */
const NAMESPACE_LENGTH_AT = 3;
const PAYLOAD_AT = 12;
const CRC_BYTES = 4;

test('a record carries its namespace, and the request as it came', async (t) => {
  const server = await TestServer.start(t);
  const request = RateRequest.fromPartial({ requestId: 'first', ratings: [rating('ann', 'matrix', 4)] });
  const { revision } = await server.client.rate(request.ratings, request);
  await server.stop();

  const journal = await LmdbJournal.open({ directory: join(server.data, 'journal'), linkBytes: 2 ** 28 });
  t.after(() => journal.close());
  let found: Buffer | undefined;
  for (const entry of journal.read(1)) {
    assert.equal(entry.record[NAMESPACE_LENGTH_AT], 0);
    assert.equal(decodeRecord(entry.record, entry.revision).namespace, '');
    if (entry.revision === Number(revision)) found = Buffer.from(entry.record);
  }
  assert.deepEqual(found?.subarray(PAYLOAD_AT, -CRC_BYTES), Buffer.from(RateRequest.encode(request).finish()));
});

test('an id is one of its namespace: the same text in another one is another id', () => {
  const world = WritableWorld.create(Arena.create(2 ** 24), 1);
  const key = (namespace: number) => ({ bytes: Buffer.from('ann'), start: 0, length: 3, namespace });
  const row = world.users.obtain(key(0), world.reclaimer);
  assert.equal(world.users.find(key(1)), -1);
  const other = world.users.obtain(key(1), world.reclaimer);
  assert.notEqual(other, row);
  assert.deepEqual([world.users.find(key(0)), world.users.find(key(1))], [row, other]);
  // "" is the namespace of row 0.
  assert.equal(world.namespaces.rows, 1);
  assert.equal(world.namespaces.text(0), '');
});

test('a request id is one of its namespace', () => {
  const world = WritableWorld.create(Arena.create(2 ** 24), 1);
  const entry = {
    id: Buffer.from('first'),
    namespace: 0,
    digest: Buffer.alloc(16),
    revision: 2,
    accepted: 1,
    receivedAtMs: 0,
  };
  world.requestIds.add(entry, world.reclaimer);
  assert.equal(world.requestIds.find(entry, 0)?.revision, 2);
  assert.equal(world.requestIds.find({ ...entry, namespace: 1 }, 0), undefined);
});
