import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder, recordOf, recordsFrom } from './journal-fixture.ts';
import { LinkPages } from './link-pages.ts';
import { Link } from './lmdb.ts';

const isDamage = { reason: 'STORE_DAMAGED' };

async function makeLink(path: string, first: number, records: readonly Uint8Array[]): Promise<void> {
  await Link.create(path);
  const link = Link.open(path, { mapBytes: 2 ** 24, readOnly: false });
  await link.append(first, records);
  await link.close();
}

test('a revision just before the first of a page is not another record of it', async (t) => {
  const path = join(makeFolder(t), 'a.mdb');
  await makeLink(path, 2, recordsFrom(2, 20));
  const pages = new LinkPages(path);
  t.after(() => pages.close());
  assert.throws(() => pages.find(1), isDamage);
  assert.deepEqual(Buffer.from(pages.find(2)?.record(0) ?? []), recordOf(2));
});

test('before a key that is wrong the records of a page are read, and from it on none', async (t) => {
  const path = join(makeFolder(t), 'a.mdb');
  await makeLink(path, 1, recordsFrom(1, 20));
  const bytes = readFileSync(path);
  const key = Buffer.from('000000000000000b', 'hex');
  bytes[bytes.lastIndexOf(key) + 7] = 200;
  writeFileSync(path, bytes);
  const pages = new LinkPages(path);
  t.after(() => pages.close());
  assert.equal(pages.find(1)?.count, 10);
  assert.throws(() => pages.find(11), isDamage);
});

test('a record that says it is larger than any is damage, and no room is made for it', async (t) => {
  const path = join(makeFolder(t), 'a.mdb');
  await makeLink(path, 1, [recordOf(1, 9000)]);
  const bytes = readFileSync(path);
  // Its length, what says that it has pages of its own, the length of its key, and its key.
  const node = bytes.lastIndexOf(Buffer.from('28230000010008000000000000000001', 'hex'));
  assert(node > 0);
  bytes.writeUInt32LE(0xffff_0000, node);
  writeFileSync(path, bytes);
  const pages = new LinkPages(path);
  t.after(() => pages.close());
  assert.throws(() => pages.find(1)?.record(0), isDamage);
});
