import { existsSync, statSync } from 'node:fs';
import { copyFile, link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AccreteError } from '../errors.ts';
import { makeFolderDurably, renameDurably, syncToDisk } from './durable-files.ts';
import { storeFailure } from './failure.ts';
import { APPEND_BYTES_MAX } from './journal.ts';
import { firstRevisionOf, lockPathOf } from './link-chain.ts';
import { recordsOf } from './link-salvage.ts';
import { Link } from './lmdb.ts';
import { planRepair, type RepairPlan, type Rewritten } from './repair-plan.ts';

/**
 * Makes of a damaged journal what a plan keeps of it. Nothing is deleted: every file that goes or is written anew is
 * moved to another folder first. Wherever it is cut off, the journal is either as damaged as before, so that it can be
 * repaired again, or whole: the highest revisions go first, then what was cut at its end is replaced by one renaming, and
 * what was cut at its beginning goes last, when the new file is there. The store's lock must be held.
 */
export async function repairJournal(directory: string, plan: RepairPlan, takenTo: string): Promise<void> {
  const { rewritten, taken, keep } = plan;
  const isAfter = (name: string) => (firstRevisionOf(name) ?? Number.POSITIVE_INFINITY) > keep.to;
  const take = async (name: string) => {
    await moveLock(directory, name, takenTo);
    await rename(join(directory, name), join(takenTo, name));
  };
  try {
    await makeFolderDurably(takenTo);
    for (const each of rewritten) await writeDraft(directory, each);
    for (const name of taken.filter(isAfter)) await take(name);
    for (const { name, as } of rewritten) if (name === as) await replace(directory, name, takenTo);
    await syncToDisk(directory);
    for (const { name, as } of rewritten) {
      if (name === as) continue;
      await place(directory, as);
      if (name !== undefined) await take(name);
    }
    for (const name of taken.filter((each) => !isAfter(each))) await take(name);
    await syncToDisk(takenTo);
    await syncToDisk(directory);
  } catch (error) {
    const what = `the journal in ${directory} could not be repaired`;
    throw storeFailure(error, 'INTERNAL', what, `see the cause; what was taken out of it is in ${takenTo}`);
  }
  requireKept(planRepair(directory), plan, directory);
}

/** What is written at once, besides the last record of it. */
const PART_BYTES = 4 * 1024 * 1024;

const draftOf = (path: string) => `${path}.new`;

/** Writes what is kept of a link into a new file beside it, which a start takes away if it is never renamed. */
async function writeDraft(directory: string, { name, as, run, source }: Rewritten): Promise<void> {
  const draft = draftOf(join(directory, as));
  for (const left of [draft, lockPathOf(draft)]) await rm(left, { force: true });
  await Link.create(draft);
  if (name === undefined) return;
  const path = join(directory, name);
  const file = Link.open(draft, { mapBytes: 2 * statSync(path).size + 2 * APPEND_BYTES_MAX, readOnly: false });
  try {
    let part: Uint8Array[] = [];
    let [next, bytes] = [run.from, 0];
    const flush = async () => {
      if (part.length > 0) await file.append(next, part);
      next += part.length;
      [part, bytes] = [[], 0];
    };
    for (const { record } of recordsOf(path, run, { source })) {
      part.push(Buffer.from(record));
      bytes += record.length;
      if (bytes >= PART_BYTES) await flush();
    }
    await flush();
  } finally {
    await file.close();
  }
}

/** Gives the draft the link's name; the link stays under another one. At every moment there is one of them. */
async function replace(directory: string, name: string, takenTo: string): Promise<void> {
  const path = join(directory, name);
  await moveLock(directory, name, takenTo);
  await link(path, join(takenTo, name)).catch(() => copyFile(path, join(takenTo, name))); // not every disk has links
  await syncToDisk(join(takenTo, name));
  await place(directory, name);
}

async function place(directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  await rename(lockPathOf(draftOf(path)), lockPathOf(path));
  await renameDurably(draftOf(path), path);
}

async function moveLock(directory: string, name: string, takenTo: string): Promise<void> {
  const lock = lockPathOf(name);
  if (existsSync(join(directory, lock))) await rename(join(directory, lock), join(takenTo, lock));
}

/** Reads all back. */
function requireKept({ damage, keep }: RepairPlan, plan: RepairPlan, directory: string): void {
  if (!damage && keep.digest === plan.keep.digest && keep.to === plan.keep.to) return;
  const found = damage?.what ?? `it holds revisions ${keep.from}..${keep.to}, and others than were to be kept`;
  throw new AccreteError(
    'STORE_DAMAGED',
    `the journal in ${directory} is not what it should be after a repair: ${found}`,
  );
}
