import type { Removal } from '../../exchange/forgetting.ts';
import { syncToDisk } from '../../store/durable-files.ts';
import { Places } from '../../store/forget/places.ts';
import { rewriteLink } from '../../store/forget/rewrite-link.ts';
import { UserSearch } from '../../store/forget/user-search.ts';
import { withoutUser } from '../../store/forget-codec.ts';
import type { JobContext } from '../job-context.ts';
import type { PurgeTask } from './purge-task.ts';
import { scrubVersions } from './scrub-versions.ts';

/**
 * Takes a user out of every version that is kept, and then out of the files of the journal: versions are cleaned by what the
 * journal says of the user. Throws DISK_FULL, APPEND_FAILED, CHECKPOINT_FAILED.
 */
export async function* purge(task: PurgeTask, context: JobContext): AsyncGenerator<Removal[]> {
  const removals = await scrubVersions(task, context);
  const count = await purgeJournal(task, context);
  // Names of files that were removed are gone from the disk too.
  await syncToDisk(context.stateFolder);
  yield [{ place: 'journal', count }, ...removals];
}

/**
 * The last file first: whenever this is cut off, the files that still have the user are those at the beginning. So whoever
 * reads the journal, or goes on with this, meets the user's first row and every place once.
 */
async function purgeJournal({ userId, forgotten, to }: PurgeTask, { journal, meter }: JobContext): Promise<number> {
  const { firstRevision } = journal;
  const last = forgotten.revision;
  const links = journal.links(to).filter(({ first }) => first <= last);
  meter.begin('purge', 'records', 2 * (last - firstRevision + 1));
  // Where the first record is gone nobody learns the others by their rows.
  const read = () => journal.read(firstRevision, last);
  const places = firstRevision === 1 ? Places.find(userId, read) : new Places();
  const search = new UserSearch(userId);
  let removed = 0;
  for (const link of links.reverse()) {
    let entries = 0;
    for (const { revision, record } of journal.read(link.first, Math.min(link.last, last))) {
      meter.add();
      entries += search.find(revision, record)?.entries ?? 0;
    }
    if (entries > 0) await rewriteLink(journal.directory, link.first, rewritten(link));
    removed += entries;
  }
  return removed;

  function* rewritten(link: { readonly first: number; readonly last: number }): Generator<Uint8Array> {
    for (const { revision, record } of journal.read(link.first, link.last)) {
      meter.add();
      const isTheirs = revision <= last && search.find(revision, record);
      yield isTheirs ? withoutUser(userId, revision, record, places) : record;
    }
  }
}
