import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AccreteError } from '../../errors.ts';
import { CheckpointFolder } from '../checkpoints/checkpoint-folder.ts';
import { CheckpointWriter } from '../checkpoints/checkpoint-writer.ts';
import { CHECKPOINT_FORMAT } from '../checkpoints/manifest.ts';
import { encodeControl } from '../control.ts';
import { requireFormat } from '../format.ts';
import { makeFolder } from '../journal-fixture.ts';
import { JournalReader } from '../journal-reader.ts';
import { LINK_BYTES_MIN, LmdbJournal } from '../lmdb-journal.ts';
import { StoreLock } from '../lock.ts';
import { importStore } from './import.ts';
import { packStore } from './pack.ts';
import { decodeHeader, encodeHeader } from './tar.ts';

const RECORDS = 120;
const REVISION = 100;

/** A store with a checkpoint, versions of models, and records beyond the checkpoint. */
async function makeStore(t: TestContext, firstRevision = 1) {
  const data = makeFolder(t);
  const journal = await LmdbJournal.open({
    directory: join(data, 'journal'),
    linkBytes: LINK_BYTES_MIN,
    firstRevision,
  });
  const record = encodeControl({ type: 'itemsDeleted', itemIds: ['x'.repeat(10_000)] });
  for (let n = firstRevision; n <= RECORDS; n++) await journal.append([record]);
  await journal.close();
  const folder = new CheckpointFolder(join(data, 'state'));
  const writer = await CheckpointWriter.create(folder, REVISION, 2 ** 20);
  const room = await writer.reserve(300_000);
  room.fill(7);
  const tables = { one: { columns: {}, rows: 1, pieces: [writer.add(room)] } };
  const manifest = {
    ...{ format: CHECKPOINT_FORMAT, revision: REVISION, createdMs: 1e12, durationMs: 1 },
    ...{ decided: { scenarios: [] }, models: [], tables, blocks: {} },
  };
  await writer.finish(manifest);
  const versions = join(data, 'state', 'versions', `${'m'.repeat(64)}@12`);
  mkdirSync(versions, { recursive: true });
  writeFileSync(join(versions, '00000000000000000007.mdb'), 'a version');
  writeFileSync(join(versions, '00000000000000000007.mdb-lock'), 'no part of it');
  writeFileSync(join(versions, '00000000000000000101.mdb'), 'of records that are not in it');
  const reader = new JournalReader(join(data, 'journal'), () => RECORDS);
  const pack = (withJournal = true) =>
    Buffer.concat(
      Array.from(packStore({ folder, manifest, journal: withJournal ? reader : undefined }), (piece) =>
        Buffer.from(piece),
      ),
    );
  return { data, pack };
}

function importFrom(bytes: Uint8Array, folder: string) {
  const pieces = (async function* () {
    for (let at = 0; at < bytes.length; at += 3000) yield bytes.subarray(at, at + 3000);
  })();
  return importStore({ pieces, file: 'f.tar', folder, linkBytes: LINK_BYTES_MIN });
}

function failsWith(reason: string, pattern: RegExp) {
  return (error: unknown) => {
    assert(error instanceof AccreteError, String((error as Error).stack));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, pattern);
    return true;
  };
}

test('a store is as it was, up to the checkpoint', async (t) => {
  const { data, pack } = await makeStore(t);
  const folder = join(makeFolder(t), 'a', 'b');
  const { revision, journalFrom, records, files } = await importFrom(pack(), folder);
  assert.deepEqual([revision, journalFrom, records, files], [REVISION, 1, REVISION, 2]);
  await requireFormat(folder);
  const journal = await LmdbJournal.open({ directory: join(folder, 'journal'), linkBytes: LINK_BYTES_MIN });
  assert.deepEqual([journal.firstRevision, journal.lastRevision], [1, REVISION]);
  await journal.close();
  const path = `state/versions/${'m'.repeat(64)}@12/00000000000000000007.mdb`;
  assert.deepEqual(readFileSync(join(folder, path)), readFileSync(join(data, path)));
  assert.deepEqual(readdirSync(dirname(join(folder, path))), ['00000000000000000007.mdb']);
  assert.deepEqual(readdirSync(folder).sort(), ['format.json', 'journal', 'lock.sqlite', 'state']);
});

test('a journal that begins later, and none at all', async (t) => {
  const later = await makeStore(t, 60);
  const [a, b] = [join(makeFolder(t), 'a'), join(makeFolder(t), 'b')];
  assert.equal((await importFrom(later.pack(), a)).journalFrom, 60);
  assert.equal((await importFrom(later.pack(false), b)).journalFrom, undefined);
  for (const [folder, first] of [
    [a, 60],
    [b, REVISION + 1],
  ] as const) {
    const journal = await LmdbJournal.open({ directory: join(folder, 'journal'), linkBytes: LINK_BYTES_MIN });
    assert.deepEqual([journal.firstRevision, journal.lastRevision], [first, REVISION]);
    await journal.append([encodeControl({ type: 'resumed' })]);
    assert.equal(journal.lastRevision, REVISION + 1);
    await journal.close();
  }
});

test('other programs can read it, and check it', async (t) => {
  const { pack } = await makeStore(t);
  const folder = makeFolder(t);
  writeFileSync(join(folder, 'f.tar'), pack());
  execFileSync('tar', ['xf', 'f.tar'], { cwd: folder });
  assert.match(
    execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' }),
    /^accrete\.json: OK\n/,
  );
});

test('whatever is cut off or changed is refused, and nothing is made', async (t) => {
  const { pack } = await makeStore(t);
  const whole = pack();
  const parent = makeFolder(t);
  const refused = async (bytes: Uint8Array) => {
    await assert.rejects(importFrom(bytes, join(parent, 'data')), (error: AccreteError) => {
      assert.ok(['FILE_DAMAGED', 'FILE_FOREIGN', 'STORE_TOO_NEW'].includes(error.reason), String(error.stack));
      return true;
    });
    assert.deepEqual(readdirSync(parent), []);
  };
  for (const bytes of [0, 1, 511, 512, 1024, 5000, whole.length - 1025, whole.length - 1024, whole.length - 1])
    await refused(whole.subarray(0, bytes));
  await refused(Buffer.concat([whole, Buffer.alloc(1)]));
  // What no other checksum covers.
  for (const text of ['a version', '1000000000000']) {
    const bytes = Buffer.from(whole);
    bytes[bytes.indexOf(text)] ^= 1;
    await refused(bytes);
  }
  for (let n = 0; n < 60; n++) {
    const bytes = Buffer.from(whole);
    // The first header, and then all over the file.
    const at = n < 20 ? n * 25 : Math.floor((n / 60) * whole.length);
    bytes[at] ^= 1 << (n % 8);
    await refused(bytes);
  }
});

test('entries that no export writes, and one that comes twice, are refused', async (t) => {
  const { pack } = await makeStore(t);
  const whole = pack();
  const file = '00000000000000000100.mdb';
  const at = whole.indexOf('journal/');
  const paths = ['a', 'state', 'journal', 'state/a', `state/a/${file}`, `state/${file}/${file}`, `journal/a/${file}`];
  for (const path of [...paths, `state/versions/${file}`, `state/versions/a/b/${file}`, `state/${file}`]) {
    const more = Buffer.concat([encodeHeader({ path, bytes: 1 }, 0), Buffer.from('x'), Buffer.alloc(511)]);
    const bytes = Buffer.concat([whole.subarray(0, at), more, whole.subarray(at)]);
    await assert.rejects(
      importFrom(bytes, makeFolder(t)),
      failsWith('FILE_DAMAGED', /has an entry .* export it again/),
    );
  }
});

test('a foreign file, a newer one, and a folder that is taken', async (t) => {
  const { pack } = await makeStore(t);
  const whole = pack();
  const folder = join(makeFolder(t), 'data');
  await assert.rejects(
    importFrom(Buffer.from('user,item,value\n'.repeat(100)), folder),
    failsWith('FILE_FOREIGN', /checkpoint export/),
  );
  const other = Buffer.concat([encodeHeader({ path: 'readme', bytes: 0 }, 0), Buffer.alloc(1024)]);
  await assert.rejects(importFrom(other, folder), failsWith('FILE_FOREIGN', /name one that is/));
  const newer = Buffer.from(whole.toString('latin1').replace('"format": 1', '"format": 9'), 'latin1');
  await assert.rejects(importFrom(newer, folder), failsWith('STORE_TOO_NEW', /newer version/));
  assert.ok(!existsSync(folder));
  await importFrom(whole, folder);
  await assert.rejects(importFrom(whole, folder), failsWith('STORE_EXISTS', /has a store already \(state\)/));
  await requireFormat(folder);
});

test('an import that was cut off is no store, and the next one takes its place', async (t) => {
  const { pack } = await makeStore(t);
  const folder = makeFolder(t);
  mkdirSync(join(folder, '.importing', 'journal'), { recursive: true });
  mkdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'mine'), '');
  await assert.rejects(requireFormat(folder), failsWith('STORE_DAMAGED', /cut off: run .* again/));
  const lock = await StoreLock.acquire(folder);
  await assert.rejects(importFrom(pack(), folder), failsWith('STORE_IN_USE', /stop that server/));
  lock.release();
  await importFrom(pack(), folder);
  await requireFormat(folder);
  assert.ok(existsSync(join(folder, 'mine')));
});

test('headers of tar', () => {
  for (const path of ['a', `${'b'.repeat(80)}/${'c'.repeat(90)}`]) {
    assert.deepEqual(decodeHeader(encodeHeader({ path, bytes: 12_345 }, 1e12)), { path, bytes: 12_345 });
  }
  for (const path of ['../a', '/a', 'a/../b', 'a//b', '.a', 'a b'])
    assert.throws(() => encodeHeader({ path, bytes: 1 }, 0), /is no entry/);
  const evil = encodeHeader({ path: 'abc/x', bytes: 1 }, 0);
  evil.write('../', 0);
  let sum = 256;
  for (const [n, byte] of evil.entries()) if (n < 148 || n >= 156) sum += byte;
  evil.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  assert.equal(decodeHeader(evil), 'it has an entry "..//x"');
});
