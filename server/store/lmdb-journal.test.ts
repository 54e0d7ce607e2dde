import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Journal } from './journal.ts';
import {
  linksIn,
  makeChain,
  makeFolder,
  openIn,
  range,
  recordOf,
  recordsFrom,
  revisionsOf,
} from './journal-fixture.ts';
import { JournalReader } from './journal-reader.ts';
import { linkName } from './link-chain.ts';
import { Link } from './lmdb.ts';
import { LINK_BYTES_MIN, LmdbJournal } from './lmdb-journal.ts';

const MIB = 1024 * 1024;

test('an empty journal', async (t) => {
  const journal = await openIn(t, join(makeFolder(t), 'a', 'journal'));
  assert.deepEqual([journal.firstRevision, journal.lastRevision, journal.size().linkCount], [1, 0, 1]);
  assert.deepEqual(revisionsOf(journal), []);
});

test('records come back in order, from any revision, also after opening again', async (t) => {
  const directory = makeFolder(t);
  const journal = await openIn(t, directory);
  await journal.append(recordsFrom(1, 1));
  await journal.append(recordsFrom(2, 3));
  const check = (opened: Journal) => {
    assert.equal(opened.lastRevision, 4);
    assert.deepEqual(revisionsOf(opened), [1, 2, 3, 4]);
    assert.deepEqual(revisionsOf(opened, 3), [3, 4]);
    assert.deepEqual(revisionsOf(opened, 5), []);
  };
  check(journal);
  await journal.close();
  check(await openIn(t, directory));
});

test('records of any size, across links that keep their size', async () => {
  const sizes = fc.oneof(
    fc.integer({ min: 4, max: 300 }),
    fc.integer({ min: 1000, max: 5000 }),
    fc.integer({ min: 4, max: 200_000 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(sizes, { minLength: 1, maxLength: 40 }), { maxLength: 25 }), async (appends) => {
      const directory = mkdtempSync(join(tmpdir(), 'accrete-journal-'));
      const journal = await LmdbJournal.open({ directory, linkBytes: LINK_BYTES_MIN });
      for (const records of appends) {
        const first = journal.lastRevision + 1;
        const bytes = records.reduce((sum, size) => sum + size, 0);
        await journal.append(records.map((size, i) => recordOf(first + i, size)));
        const tail = linksIn(directory).at(-1) ?? '';
        const { size } = statSync(join(directory, tail));
        assert(size <= LINK_BYTES_MIN || tail === linkName(first), `${tail} has ${size} bytes after ${bytes}`);
      }
      const sizesRead = Array.from(journal.read(1), ({ record }) => record.length);
      assert.deepEqual(sizesRead, appends.flat());
      assert.deepEqual(revisionsOf(journal), range(1, appends.flat().length));
      const { bytes } = journal.size();
      await journal.close();
      assert.equal(
        linksIn(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0),
        bytes,
      );
      rmSync(directory, { recursive: true });
    }),
    { numRuns: 25 },
  );
});

test('links of records of any one size are filled and not overfilled', async (t) => {
  for (const size of [10, 100, 900, 1400, 1900, 2030, 2100, 4050, 4090, 9000]) {
    const directory = makeFolder(t);
    const journal = await openIn(t, directory);
    const count = Math.ceil(300_000 / size);
    while (journal.size().linkCount < 3) await journal.append(recordsFrom(journal.lastRevision + 1, count, size));
    const [first, second] = linksIn(directory).map((name) => statSync(join(directory, name)).size);
    assert(Math.max(first, second) <= LINK_BYTES_MIN, `${size}: ${first} and ${second} bytes`);
    assert(Math.min(first, second) > LINK_BYTES_MIN / 4, `${size}: ${first} and ${second} bytes`);
  }
});

test('the pages of a link are full', async (t) => {
  const journal = await openIn(t, makeFolder(t), 100 * MIB);
  for (let i = 0; i < 20; i++) await journal.append(recordsFrom(1 + 100 * i, 100, 1000));
  const { bytes } = journal.size();
  assert(bytes / 2000 < 1100, `${bytes / 2000} bytes for a record of 1000`);
});

test('an append larger than a link gets one of its own', async (t) => {
  const directory = makeFolder(t);
  const journal = await openIn(t, directory);
  await journal.append([recordOf(1)]);
  await journal.append([recordOf(2, 3 * MIB), recordOf(3, 2 * MIB)]);
  await journal.append([recordOf(4)]);
  assert.deepEqual(revisionsOf(journal), [1, 2, 3, 4]);
  assert.equal(journal.size().linkCount, 3);
  await journal.close();
  assert.deepEqual(revisionsOf(await openIn(t, directory)), [1, 2, 3, 4]);
});

test('the first append may be larger than a link', async (t) => {
  const journal = await openIn(t, makeFolder(t));
  await journal.append([recordOf(1, 4 * MIB)]);
  assert.deepEqual(revisionsOf(journal), [1]);
  assert.equal(journal.size().linkCount, 1);
});

test('an iteration goes on over appends and rotations, up to what was last at its start', async (t) => {
  const journal = await openIn(t, makeFolder(t));
  await journal.append(recordsFrom(1, 20, 3000));
  const entries = journal.read(1);
  assert.equal(entries.next().value?.revision, 1);
  while (journal.size().linkCount < 3) await journal.append(recordsFrom(journal.lastRevision + 1, 50, 3000));
  assert.deepEqual(
    Array.from(entries, ({ revision }) => revision),
    range(2, 20),
  );
});

test('two iterations at once do not disturb each other', async (t) => {
  const { directory, last } = await makeChain(t);
  const journal = await openIn(t, directory);
  const other = journal.read(2);
  for (const { revision, record } of journal.read(1)) {
    assert.equal(other.next().value?.revision, revision < last ? revision + 1 : undefined);
    assert.deepEqual(Buffer.from(record), recordOf(revision, record.length));
  }
});

test('one append at a time, of 1 to so many bytes', async (t) => {
  const journal = await openIn(t, makeFolder(t));
  const running = journal.append([recordOf(1)]);
  await assert.rejects(journal.append([recordOf(2)]), /one append at a time/);
  await running;
  await assert.rejects(journal.append([]), /has records/);
  await assert.rejects(journal.append([Buffer.alloc(0)]), /1\.\..* bytes, not 0/);
  await assert.rejects(journal.append([Buffer.alloc(66 * MIB)]), /bytes, not 69206016/);
  await assert.rejects(journal.append(new Array(5).fill(Buffer.alloc(60 * MIB))), /an append has at most/);
  await journal.append([recordOf(2)]);
  assert.deepEqual(revisionsOf(journal), [1, 2]);
});

test('closing waits for the append and ends iterations', async (t) => {
  const directory = makeFolder(t);
  const journal = await openIn(t, directory);
  await journal.append(recordsFrom(1, 3));
  const entries = journal.read(1);
  entries.next();
  let settled = false;
  const running = journal.append([recordOf(4)]).then(() => (settled = true));
  await journal.close();
  assert(settled);
  await running;
  assert.throws(() => entries.next(), { reason: 'APPEND_FAILED', message: /read again from revision 2/ });
  await assert.rejects(journal.append([recordOf(5)]), /the journal is closed/);
  assert.throws(() => journal.read(1), /the journal is closed/);
  assert.deepEqual(revisionsOf(await openIn(t, directory)), [1, 2, 3, 4]);
});

test('the event loop runs on while the disk works', async (t) => {
  const journal = await openIn(t, makeFolder(t), 512 * MIB);
  let longestMs = 0;
  let before = performance.now();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - before);
    before = performance.now();
  }, 1);
  const start = performance.now();
  await journal.append(new Array(4).fill(Buffer.alloc(30 * MIB, 7)));
  const appendMs = performance.now() - start;
  clearInterval(timer);
  assert(longestMs < appendMs / 2, `it stood still for ${longestMs} of ${appendMs} ms`);
});

test('a second writer is noticed, and nothing of the append is kept', async (t) => {
  const path = join(makeFolder(t), 'link.mdb');
  await Link.create(path);
  const link = Link.open(path, { mapBytes: MIB, readOnly: false });
  t.after(() => link.close());
  await link.append(1, recordsFrom(1, 2));
  await assert.rejects(link.append(2, recordsFrom(2, 2)), /already holds revision 2/);
  assert.equal(link.find('last'), 2);
});

test('old links are dropped, the oldest first, and never the last; whoever reads one finishes it', async (t) => {
  const { directory, links, last } = await makeChain(t);
  const firsts = links.map((name) => Number.parseInt(name, 10));
  const journal = await openIn(t, directory);
  assert.deepEqual(
    journal.links().map(({ first, bytes }) => [first, bytes > 0]),
    firsts.map((first) => [first, true]),
  );
  const reader = new JournalReader(directory, () => last);
  const reading = reader.read(1);
  reading.next();
  assert.equal(await journal.dropBefore(firsts[1] - 1), 0);
  const [one, two] = [journal.dropBefore(firsts[1]), journal.dropBefore(firsts[2])];
  await journal.append([recordOf(last + 1)]);
  assert.deepEqual(await Promise.all([one, two]), [1, 1]);
  assert.deepEqual([journal.firstRevision, linksIn(directory)], [firsts[2], links.slice(2)]);
  assert.ok(!readdirSync(directory).some((name) => name.startsWith(links[0])), 'its lock is gone too');
  for (let revision = 2; revision < firsts[1]; revision++) assert.equal(reading.next().value?.revision, revision);
  assert.throws(() => reading.next(), { reason: 'REVISION_GONE', message: /begins at 0+\d+\. Ask from there on/ });
  assert.equal(await journal.dropBefore(Number.MAX_SAFE_INTEGER), links.length - 3);
  assert.deepEqual(linksIn(directory), links.slice(-1));
  await journal.close();
  assert.deepEqual([await journal.dropBefore(last), journal.links()], [0, []]);
  const opened = await openIn(t, directory);
  assert.deepEqual(revisionsOf(opened), range(firsts.at(-1) ?? 0, last + 1));
});

test('a link that cannot be dropped keeps those after it', async (t) => {
  const { directory, links, last } = await makeChain(t);
  const journal = await openIn(t, directory);
  // A folder is no file that can be removed.
  const [oldest] = links.map((name) => join(directory, name));
  renameSync(oldest, `${oldest}.away`);
  mkdirSync(oldest);
  await assert.rejects(journal.dropBefore(last));
  rmdirSync(oldest);
  renameSync(`${oldest}.away`, oldest);
  assert.deepEqual([linksIn(directory).length, journal.firstRevision], [links.length, 1]);
  await journal.reopen();
  assert.deepEqual(revisionsOf(journal), range(1, last));
});
