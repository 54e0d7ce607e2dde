import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError } from '../errors.ts';
import { makeChain, makeFolder, openIn, range, recordOf, recordsFrom, revisionsOf } from './journal-fixture.ts';
import { linkName } from './link-chain.ts';
import { Link } from './lmdb.ts';
import { LINK_BYTES_MIN, LmdbJournal } from './lmdb-journal.ts';

const MIB = 1024 * 1024;

function damage(pattern: RegExp): (error: unknown) => true {
  return (error) => {
    assert(error instanceof AccreteError, String(error));
    assert.equal(error.reason, 'STORE_DAMAGED');
    assert.match(error.message, pattern);
    return true;
  };
}

test('a missing link is damage', async (t) => {
  const { directory, links } = await makeChain(t);
  rmSync(join(directory, links[1]));
  const [from, to] = [Number.parseInt(links[1], 10), Number.parseInt(links[2], 10) - 1];
  const message = new RegExp(`revisions ${from}\\.\\.${to} are missing between .*; restore ${links[1]}`);
  await assert.rejects(openIn(t, directory), damage(message));
});

test('without the oldest links the journal begins later', async (t) => {
  const { directory, links, last } = await makeChain(t);
  rmSync(join(directory, links[0]));
  const journal = await openIn(t, directory);
  const first = Number.parseInt(links[1], 10);
  assert.equal(journal.firstRevision, first);
  assert.deepEqual(revisionsOf(journal), range(first, last));
  assert.throws(
    () => journal.read(first - 1),
    damage(new RegExp(`begins at revision ${first}: revision ${first - 1} is not kept`)),
  );
  assert.deepEqual([...journal.read(last + 1)], []);
});

test('an overlapping link, and one under another name, are damage', async (t) => {
  const { directory, links } = await makeChain(t);
  const second = Number.parseInt(links[1], 10);
  const alien = join(directory, linkName(second - 1));
  copyFileSync(join(directory, links[1]), alien);
  await assert.rejects(openIn(t, directory), damage(new RegExp(`should begin at ${second - 1} and have no gap`)));
  rmSync(alien);
  const other = await LmdbJournal.open({ directory: join(directory, 'other'), linkBytes: LINK_BYTES_MIN });
  await other.append(recordsFrom(1, second + 5));
  await other.close();
  copyFileSync(join(directory, 'other', linkName(1)), join(directory, linkName(1)));
  await assert.rejects(openIn(t, directory), damage(new RegExp(`revision ${second} is in .* and again in`)));
});

test('a link with a gap is damage', async (t) => {
  for (const [name, revisions] of [
    [1, [1, 2, 4]],
    [3, [2, 4]],
    [3, [3, 5]],
    [3, [2, 3, 4]],
  ] as const) {
    const directory = makeFolder(t);
    const path = join(directory, linkName(name));
    await Link.create(path);
    const link = Link.open(path, { mapBytes: MIB, readOnly: false });
    for (const revision of revisions) await link.append(revision, [recordOf(revision)]);
    await link.close();
    const found = `${revisions.length} records with the revisions ${revisions[0]}\\.\\.${revisions.at(-1)}`;
    const message = new RegExp(`holds ${found}: it should begin at ${name} and have no gap`);
    await assert.rejects(openIn(t, directory), damage(message));
  }
});

test('a cut or foreign file is damage, never a crash', async (t) => {
  for (const [which, change] of [
    [1, (path: string) => truncateSync(path, 40_000)],
    [3, (path: string) => truncateSync(path, 40_000)],
    [1, (path: string) => writeFileSync(path, Buffer.alloc(100_000, 'x'))],
    [3, (path: string) => writeFileSync(path, 'x')],
    [1, (path: string) => writeFileSync(path, '')],
    [3, (path: string) => writeFileSync(path, '')],
    [3, (path: string) => truncateSync(path, 4096)],
  ] as const) {
    const { directory, links } = await makeChain(t);
    change(join(directory, links[which]));
    await assert.rejects(openIn(t, directory), damage(new RegExp(links[which])));
  }
});

test('what a killed process left half made is taken away', async (t) => {
  const { directory, last } = await makeChain(t);
  writeFileSync(join(directory, `${linkName(last + 1)}.new`), 'half');
  const journal = await openIn(t, directory);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('.new')),
    [],
  );
  assert.equal(journal.lastRevision, last);
});

test('an empty last link is fine', async (t) => {
  const { directory, links, last } = await makeChain(t);
  const empty = await LmdbJournal.open({ directory: join(directory, 'other'), linkBytes: LINK_BYTES_MIN });
  await empty.close();
  renameSync(join(directory, 'other', linkName(1)), join(directory, linkName(last + 1)));
  const journal = await openIn(t, directory);
  assert.deepEqual([journal.lastRevision, journal.size().linkCount], [last, links.length + 1]);
  await journal.append([recordOf(last + 1, 3000)]);
  assert.deepEqual(revisionsOf(journal), range(1, last + 1));
});

const MODULE = JSON.stringify(new URL('lmdb-journal.ts', import.meta.url).href);

test('what was acknowledged survives SIGKILL, and nothing is half there', async (t) => {
  const directory = makeFolder(t);
  const code = `const { LmdbJournal } = await import(${MODULE});
    const journal = await LmdbJournal.open({ directory: process.argv[1], linkBytes: ${LINK_BYTES_MIN} });
    for (;;) {
      const first = journal.lastRevision + 1;
      await journal.append(Array.from({ length: 7 }, (_, i) => {
        const record = Buffer.alloc(5000, (first + i) % 251);
        record.writeUInt32LE(first + i);
        return record;
      }));
      process.stdout.write(journal.lastRevision + '\\n');
    }`;
  let acknowledged = 0;
  for (const killAfterMs of [30, 60, 90]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    await once(child.stdout, 'data');
    await sleep(killAfterMs);
    child.kill('SIGKILL');
    await once(child, 'close');
    const lines = output.split('\n');
    acknowledged = Number(lines.at(-2));
    const journal = await LmdbJournal.open({ directory, linkBytes: LINK_BYTES_MIN });
    assert(journal.lastRevision >= acknowledged, `${acknowledged} was acknowledged, ${journal.lastRevision} is there`);
    assert.equal(journal.lastRevision % 7, 0);
    assert.deepEqual(revisionsOf(journal), range(1, journal.lastRevision));
    await journal.close();
  }
  assert(acknowledged > 0);
});

// The limit on the size of a file stands in for a full disk: it needs no rights and can be lifted again.
// The limit on the size of a file stands in for a full disk: it needs no rights and can be lifted again.
test('a failed append is refused as DISK_FULL; after reopening, appends go on', async (t) => {
  const directory = makeFolder(t);
  const code = `const { LmdbJournal } = await import(${MODULE});
    const { execFileSync } = await import('node:child_process');
    const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':unlimited']);
    const [directory, linkBytes] = [process.argv[1], ${LINK_BYTES_MIN}];
    const journal = await LmdbJournal.open({ directory, linkBytes });
    const said = [];
    const tell = (error) => said.push(error.reason ?? error.code, error.message);
    const records = [Buffer.alloc(100, 1), Buffer.alloc(700_000, 2)];
    await journal.append([Buffer.alloc(1000, 1)]);
    for (const bytes of [8192, 1]) {
      const entries = journal.read(1);
      limit(bytes);
      await journal.append(records).catch(tell);
      await journal.append(records).catch(tell);
      try { entries.next(); } catch (error) { tell(error); }
      limit('unlimited');
      await journal.reopen();
      said.push(journal.lastRevision, journal.size().linkCount);
      await journal.append(records);
    }
    limit(8192);
    await journal.append(records).catch(tell);
    await journal.close();
    limit('unlimited');
    const opened = await LmdbJournal.open({ directory, linkBytes });
    said.push(...Array.from(opened.read(1), ({ record }) => record.length));
    await opened.close();
    console.log(JSON.stringify(said));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, complaints] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (complaints += text));
  await once(child, 'close');
  if (complaints.includes('spawnSync prlimit')) return t.skip('prlimit is not installed');
  assert.notEqual(output, '', complaints);
  const failure = (first: number) => [
    'DISK_FULL',
    `revisions ${first}..${first + 1} were perhaps not kept: the disk is full; make room where the data is`,
    'ERR_ASSERTION',
    'the journal is failed',
    'APPEND_FAILED',
    'the journal was closed or reopened meanwhile: read again from revision 1',
  ];
  // The second failure is one of making the next link.
  assert.deepEqual(JSON.parse(output), [
    ...[...failure(2), 1, 1],
    ...[...failure(4), 3, 1],
    ...failure(6).slice(0, 2),
    ...[1000, 100, 700_000, 100, 700_000],
  ]);
});
