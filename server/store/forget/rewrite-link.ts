import { existsSync, rmSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { AccreteError } from '../../errors.ts';
import { freeBytes, removeIfPossible, renameDurably } from '../durable-files.ts';
import { diskFull, storeFailure } from '../failure.ts';
import { linkName, lockPathOf } from '../link-chain.ts';
import { Link } from '../lmdb.ts';
import { LINK_DRAFT } from '../lmdb-journal.ts';

/**
 * Puts another file in the place of a link of the journal that is full, with the same revisions. Nothing of the old file is
 * left: LMDB keeps what was deleted or changed readable in its pages. Whoever reads the old one at this moment goes on.
 */

const APPEND_BYTES = 4 * 1024 * 1024;
const OVERHEAD = 1.5;
const OVERHEAD_BYTES = 16 * 1024 * 1024;
const WHAT = 'a file of the journal was not written anew';
const REMEDY = 'the old one is as it was; see the cause in the log';

/** `records`: those of the link, from `first` on, each read when it is wanted. Throws DISK_FULL, APPEND_FAILED. */
export async function rewriteLink(directory: string, first: number, records: Iterable<Uint8Array>): Promise<void> {
  const path = join(directory, linkName(first));
  const draft = path + LINK_DRAFT;
  try {
    rmSync(draft, { force: true });
    rmSync(lockPathOf(draft), { force: true });
    await Link.create(draft);
    await fill(draft, statSync(path).size, first, records);
    // Its writer may have let go of it and of those after it: if it came back, they would be missing.
    if (!existsSync(path)) throw new AccreteError('APPEND_FAILED', `${WHAT}; it is not kept any more: try again`);
    await rename(lockPathOf(draft), lockPathOf(path));
    await renameDurably(draft, path);
  } catch (error) {
    const room = await freeBytes(directory);
    removeIfPossible(draft);
    removeIfPossible(lockPathOf(draft));
    // LMDB calls a write that was cut short for want of room an input/output error.
    if (room < OVERHEAD_BYTES && !(error instanceof AccreteError)) throw diskFull(error, WHAT);
    throw storeFailure(error, 'APPEND_FAILED', WHAT, REMEDY);
  }
}

async function fill(draft: string, bytes: number, first: number, records: Iterable<Uint8Array>): Promise<void> {
  const link = Link.open(draft, { mapBytes: bytes * OVERHEAD + OVERHEAD_BYTES, readOnly: false });
  try {
    await appendAll(link, first, records);
  } finally {
    // LMDB may never answer once a write has failed.
    const closing = link.close();
    closing.catch(() => {});
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
  }
}

async function appendAll(link: Link, first: number, records: Iterable<Uint8Array>): Promise<void> {
  let next = first;
  let batch: Uint8Array[] = [];
  let bytes = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    await link.append(next, batch);
    next += batch.length;
    batch = [];
    bytes = 0;
  };
  for (const record of records) {
    batch.push(Buffer.from(record));
    bytes += record.length;
    if (bytes >= APPEND_BYTES) await flush();
  }
  await flush();
}
