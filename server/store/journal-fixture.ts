import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Journal } from './journal.ts';
import { LINK_BYTES_MIN, LmdbJournal } from './lmdb-journal.ts';

/** What the tests of the journal share: folders, records that say which they are, chains of links. */

export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'accrete-journal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function openIn(t: TestContext, directory: string, linkBytes = LINK_BYTES_MIN): Promise<LmdbJournal> {
  const journal = await LmdbJournal.open({ directory, linkBytes });
  t.after(() => journal.close());
  return journal;
}

/** A record that says which one it is, whatever its size. */
export function recordOf(revision: number, size = 10): Buffer {
  const record = Buffer.alloc(size, revision % 251);
  record.writeUInt32LE(revision);
  return record;
}

export function recordsFrom(first: number, count: number, size = 10): Buffer[] {
  return Array.from({ length: count }, (_, i) => recordOf(first + i, size));
}

export function revisionsOf(journal: Journal, from = journal.firstRevision): number[] {
  return Array.from(journal.read(from), ({ revision, record }) => {
    assert.deepEqual(Buffer.from(record), recordOf(revision, record.length));
    return revision;
  });
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

export function linksIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.mdb'))
    .sort();
}

/** A chain of several links, closed again. */
export async function makeChain(t: TestContext): Promise<{ directory: string; links: string[]; last: number }> {
  const directory = join(makeFolder(t), 'journal');
  const journal = await LmdbJournal.open({ directory, linkBytes: LINK_BYTES_MIN });
  while (journal.size().linkCount < 4) await journal.append(recordsFrom(journal.lastRevision + 1, 60, 3000));
  const last = journal.lastRevision;
  await journal.close();
  return { directory, links: linksIn(directory), last };
}
