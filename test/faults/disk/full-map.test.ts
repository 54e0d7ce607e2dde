import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Link } from '../../../server/store/lmdb.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

/**
 * LMDB's map full. The maps of a server are larger than its links get, so that it does not happen; where it does, lmdb-js
 * makes the map larger, and nothing is lost.
 */

const RECORDS = 40;
const RECORD_BYTES = 20_000;
const MAP_BYTES = 256 * 1024;

test('a map that is full grows, and keeps what it had', async (t) => {
  const path = join(makeFolder(t), 'link.mdb');
  await Link.create(path);
  const link = Link.open(path, { mapBytes: MAP_BYTES, readOnly: false });
  for (let revision = 1; revision <= RECORDS; revision++) {
    await link.append(revision, [new Uint8Array(RECORD_BYTES).fill(revision)]);
  }
  assert(link.usedBytes > 2 * MAP_BYTES);
  await link.close();

  const again = Link.open(path, { mapBytes: 8 * 2 ** 20, readOnly: false });
  assert.equal(again.recordCount, RECORDS);
  for (let revision = 1; revision <= RECORDS; revision++) {
    assert.deepEqual([...new Set(again.get(revision))], [revision]);
  }
  await again.append(RECORDS + 1, [new Uint8Array(10)]);
  assert.equal(again.find('last'), RECORDS + 1);
  await again.close();
});
