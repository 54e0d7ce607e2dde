import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { makeFolder } from '../../test/support/temporary-folder.ts';
import { Notes } from './forget/notes.ts';
import { rewriteLink } from './forget/rewrite-link.ts';
import { JournalReader } from './journal-reader.ts';
import { linkName } from './link-chain.ts';
import { LmdbJournal } from './lmdb-journal.ts';

/** Files of the journal that are written anew, and notes of who is to be forgotten. */

async function write(directory: string, records: readonly Uint8Array[]): Promise<LmdbJournal> {
  const journal = await LmdbJournal.open({ directory, linkBytes: 2 ** 20 });
  for (const record of records) await journal.append([record]);
  await journal.seal();
  return journal;
}

const recordOf = (n: number, bytes: number) => Buffer.alloc(bytes, `record ${n} `);

test('a file has the other records, whatever their size, and nothing of the old ones', async (t) => {
  const directory = join(makeFolder(t), 'journal');
  const sizes = [10, 300_000, 5000, 3_000_000, 1, 700_000];
  const journal = await write(
    directory,
    sizes.map((bytes, n) => recordOf(n, bytes)),
  );
  const reader = new JournalReader(directory, () => sizes.length);
  const expected = sizes.map((bytes, n) => recordOf(n, bytes));
  for (const link of reader.links(sizes.length)) {
    // A process was killed here before.
    writeFileSync(join(directory, `${String(link.first).padStart(20, '0')}.mdb.new`), 'half a file');
    await rewriteLink(directory, link.first, replaced(link));
  }
  expected[2] = Buffer.from('place');
  assert.deepEqual(
    [...reader.read(1)].map(({ record }) => record.length),
    expected.map(({ length }) => length),
  );
  assert.deepEqual(
    Array.from(reader.read(1), ({ record }) => Buffer.from(record).equals(expected[0])),
    expected.map((_, n) => n === 0),
  );
  await journal.close();
  const again = await LmdbJournal.open({ directory, linkBytes: 2 ** 20 });
  for (const { revision, record } of again.read(1))
    assert.ok(expected[revision - 1].equals(record), `record ${revision}`);
  await again.append([Buffer.from('the next')]);
  assert.equal(again.lastRevision, sizes.length + 1);
  await again.close();
  for (const name of readdirSync(directory)) {
    assert.ok(!name.includes('.new'), name);
    assert.ok(!readFileSync(join(directory, name)).includes('record 2 '), name);
  }

  function* replaced(link: { first: number; last: number }): Generator<Uint8Array> {
    for (const { revision, record } of reader.read(link.first, link.last))
      yield revision === 3 ? Buffer.from('place') : record;
  }
});

test('a file that cannot be written leaves the old one, and no draft', async (t) => {
  const directory = join(makeFolder(t), 'journal');
  const journal = await write(directory, [recordOf(1, 100), recordOf(2, 100)]);
  function* failing(): Generator<Uint8Array> {
    yield recordOf(1, 100);
    throw Object.assign(new Error('no'), { code: 'ENOSPC' });
  }
  await assert.rejects(rewriteLink(directory, 1, failing()), { reason: 'DISK_FULL' });
  assert.equal([...journal.read(1)].length, 2);
  assert.ok(!readdirSync(directory).some((name) => name.includes('.new')));
  await journal.close();
});

test('a file that is dropped meanwhile does not come back', async (t) => {
  const directory = join(makeFolder(t), 'journal');
  const journal = await write(directory, [recordOf(1, 700_000), recordOf(2, 700_000)]);
  const reader = new JournalReader(directory, () => 2);
  function* records(): Generator<Uint8Array> {
    rmSync(join(directory, linkName(1)));
    yield recordOf(1, 100);
  }
  await assert.rejects(rewriteLink(directory, 1, records()), { reason: 'APPEND_FAILED' });
  assert.equal(reader.firstRevision, 2);
  assert.ok(!readdirSync(directory).some((name) => name.includes('.new')));
  await journal.close();
});

test('notes are there until they are removed; one that is half written is none', async (t) => {
  const data = makeFolder(t);
  const notes = new Notes(data);
  assert.deepEqual(notes.list(), []);
  const [ann, bob] = [await notes.write('ann'), await notes.write('ä"\n日本')];
  assert.notEqual(ann.id, bob.id);
  assert.deepEqual(new Set(notes.list()), new Set([ann, bob]));
  writeFileSync(join(data, 'forgetting', 'x.json.new'), '{"userId": "c');
  const next = new Notes(data);
  next.tidy();
  assert.equal(next.list().length, 2);
  assert.equal(readdirSync(join(data, 'forgetting')).length, 2);
  await next.remove([ann]);
  await next.remove([ann]);
  assert.deepEqual(next.list(), [bob]);
  for (const damaged of ['', '{"userId":"ann', 'ann', '{"userId": 7}', 'null']) {
    const path = join(data, 'forgetting', 'damaged.json');
    writeFileSync(path, damaged);
    const isTold = (error: Error & { reason?: string }) =>
      error.reason === 'STORE_DAMAGED' && !inspect(error).includes('ann');
    assert.throws(() => next.list(), isTold);
    rmSync(path);
  }
  writeFileSync(join(data, 'file'), '');
  await assert.rejects(new Notes(join(data, 'file')).write('ann'), { reason: 'CHECKPOINT_FAILED' });
});
