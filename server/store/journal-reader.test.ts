import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { linksIn, makeChain, makeFolder, openIn, range, recordOf, recordsFrom } from './journal-fixture.ts';
import { JournalReader } from './journal-reader.ts';
import { linkName } from './link-chain.ts';
import { LinkPages } from './link-pages.ts';
import { readAll } from './testing/reading.ts';

test('reads what the writer reads, from any revision to any, across links and sizes', async (t) => {
  const directory = makeFolder(t);
  const journal = await openIn(t, directory);
  const reader = new JournalReader(directory, () => journal.lastRevision);
  assert.deepEqual([...reader.read(1)], []);
  const sizes = [4, 5, 300, 1990, 2047, 2048, 4096, 70_000, 300_000];
  for (let append = 0; append < 60; append++) {
    const first = journal.lastRevision + 1;
    await journal.append(range(0, append % 7).map((n) => recordOf(first + n, sizes[(append + n) % sizes.length])));
  }
  const last = journal.lastRevision;
  assert(linksIn(directory).length > 2);
  assert.deepEqual([reader.firstRevision, reader.lastRevision], [1, last]);
  const expected = Array.from(journal.read(1), ({ revision, record }) => [
    revision,
    Buffer.from(record).toString('hex'),
  ]);
  const read = Array.from(reader.read(1), ({ revision, record }) => [revision, Buffer.from(record).toString('hex')]);
  assert.deepEqual(read, expected);
  for (const from of range(1, last)) {
    const to = Math.min(last, from + (from % 13));
    assert.deepEqual(readAll(reader, from, to), range(from, to));
  }
});

test('it sees what is appended meanwhile, within its bound, and never beyond', async (t) => {
  const directory = makeFolder(t);
  const journal = await openIn(t, directory);
  let durable = 2;
  const reader = new JournalReader(directory, () => durable);
  await journal.append(recordsFrom(1, 3));
  assert.deepEqual(readAll(reader, 1), [1, 2]);
  assert.throws(() => readAll(reader, 1, 3), /may not be on disk/);
  const reading = reader.read(1, 2);
  assert.equal(reading.next().value?.revision, 1);
  await journal.append(recordsFrom(4, 200, 9000));
  assert.equal(reading.next().value?.revision, 2);
  durable = 203;
  assert.deepEqual(readAll(reader, 3), range(3, 203));
});

test('a writer in another thread appends and rotates while two threads read', { timeout: 60_000 }, async (t) => {
  const directory = makeFolder(t);
  const journal = await openIn(t, directory);
  const shared = new BigInt64Array(new SharedArrayBuffer(16));
  const threads = [0, 1].map(
    () => new Worker(new URL('./testing/reading.ts', import.meta.url), { workerData: { directory, shared } }),
  );
  const reports = threads.map((thread) => once(thread, 'message'));
  const deadlineMs = performance.now() + 1000;
  for (let append = 0; performance.now() < deadlineMs || linksIn(directory).length < 4; append++) {
    await journal.append(recordsFrom(journal.lastRevision + 1, 1 + (append % 40), append % 50 === 0 ? 60_000 : 40));
    Atomics.store(shared, 0, BigInt(journal.lastRevision));
  }
  Atomics.store(shared, 1, 1n);
  for (const [report] of await Promise.all(reports)) {
    assert.deepEqual(report, { last: journal.lastRevision, failure: undefined });
  }
  await Promise.all(threads.map((thread) => thread.terminate()));
  // The writer was not disturbed.
  await journal.append(recordsFrom(journal.lastRevision + 1, 3));
  await journal.reopen();
  assert.equal(Array.from(journal.read(1)).length, journal.lastRevision);
});

test('a reader that is cut off leaves nothing behind, and reading touches no file', async (t) => {
  const { directory, last } = await makeChain(t);
  writeFileSync(join(directory, `${linkName(last + 1)}.new`), 'a draft');
  rmSync(`${join(directory, linkName(1))}-lock`);
  const before = readdirSync(directory);
  const reader = new JournalReader(directory, () => last);
  assert.deepEqual(readAll(reader, 1), range(1, last));
  for (const _ of reader.read(1)) break;
  assert.deepEqual(readdirSync(directory), before);
});

test('damage is found and names the revision', async (t) => {
  const { directory, links, last } = await makeChain(t);
  const damagedCopy = (name: string, change: (folder: string) => void) => {
    const folder = join(directory, '..', name);
    mkdirSync(folder);
    for (const link of links) copyFileSync(join(directory, link), join(folder, link));
    change(folder);
    return new JournalReader(folder, () => last);
  };
  const second = Number(links[1].slice(0, 20));
  const isDamage = (revision?: number) => (error: { reason?: string; metadata?: Record<string, string> }) => {
    assert.equal(error.reason, 'STORE_DAMAGED');
    if (revision !== undefined) assert.equal(error.metadata?.revision, String(revision));
    return true;
  };
  const gone = damagedCopy('gone', (folder) => rmSync(join(folder, links[1])));
  assert.throws(() => readAll(gone, 1), isDamage(second));
  const noFirst = damagedCopy('first', (folder) => rmSync(join(folder, links[0])));
  // The oldest may have been dropped: that is no damage.
  assert.throws(() => readAll(noFirst, 1), { reason: 'REVISION_GONE' });
  assert.equal(noFirst.firstRevision, second);
  const cut = damagedCopy('cut', (folder) => truncateSync(join(folder, links[1]), 200_000));
  assert.throws(() => readAll(cut, 1), isDamage());
  const blank = damagedCopy('blank', (folder) => writeFileSync(join(folder, links[2]), Buffer.alloc(100_000)));
  assert.throws(() => readAll(blank, second), isDamage());
  const tooFar = new JournalReader(directory, () => last + 1);
  assert.throws(() => readAll(tooFar, last), isDamage(last + 1));
  const torn = damagedCopy('torn', (folder) => {
    const path = join(folder, links[0]);
    const bytes = readFileSync(path);
    bytes.fill(0xff, 2 * 4096); // every page but the first two
    writeFileSync(path, bytes);
  });
  assert.throws(() => readAll(torn, 1), isDamage());
  assert.throws(() => new LinkPages(join(directory, '..', 'torn', 'none.mdb')), /ENOENT/);
});
