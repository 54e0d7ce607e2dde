import { unitKey } from '../../allocation/unit-key.ts';
import type { Removal } from '../../exchange/forgetting.ts';
import { syncToDisk } from '../../store/durable-files.ts';
import { Places } from '../../store/forget/places.ts';
import { rewriteLink } from '../../store/forget/rewrite-link.ts';
import { UserSearch } from '../../store/forget/user-search.ts';
import { withoutUsers } from '../../store/forget-codec.ts';
import { ImportFolder } from '../../store/models/import-folder.ts';
import type { JobContext } from '../job-context.ts';
import { removeImports } from './imports.ts';
import type { PurgeTask } from './purge-task.ts';
import { scrubVersions } from './scrub-versions.ts';

/**
 * Takes users out of what was imported, out of every version that is kept, and then out of the files of the journal: versions
 * are cleaned by what the journal says of the users. Tells what was removed of each. Throws DISK_FULL, APPEND_FAILED, CHECKPOINT_FAILED.
 */
export async function* purge(task: PurgeTask, context: JobContext): AsyncGenerator<(readonly Removal[])[]> {
  const userIds = task.users.map(({ userId }) => userId);
  const ofImports = await removeImports(userIds, new ImportFolder(context.config.data), context.meter);
  const ofVersions = await scrubVersions(task, context);
  const counts = await purgeJournal(task, context);
  // Names of files that were removed are gone from the disk too.
  await syncToDisk(context.stateFolder);
  yield task.users.map(({ userId }, n) => {
    return [{ place: 'journal', count: counts.get(userId) ?? 0 }, ...ofVersions[n], ...ofImports[n]];
  });
}

/**
 * The last file first: whenever this is cut off, the files that still have the users are those at the beginning. So whoever
 * reads the journal, or goes on with this, meets each user's first row and every place once. Returns how many entries there
 * were of each user.
 */
async function purgeJournal({ users, to }: PurgeTask, { journal, meter }: JobContext): Promise<Map<string, number>> {
  const { firstRevision } = journal;
  const last = Math.max(...users.map(({ forgotten }) => forgotten.revision));
  const links = journal.links(to).filter(({ first }) => first <= last);
  meter.begin('purge', 'records', 2 * (last - firstRevision + 1));
  const search = new UserSearch(users.map(({ userId, forgotten }) => ({ userId, last: forgotten.revision })));
  // Where the first record is gone nobody learns the others by their rows.
  const read = () => journal.read(firstRevision, last);
  const places = firstRevision === 1 ? Places.find(search, read) : new Places();
  const counts = new Map<string, number>();
  // Whoever goes on with this gives the same ones.
  const keys = new Map<string | undefined, bigint>(users.map(({ userId, note }) => [userId, unitKey(`note ${note}`)]));
  for (const link of links.reverse()) {
    let isNamed = false;
    for (const { revision, record } of journal.read(link.first, Math.min(link.last, last))) {
      meter.add();
      for (const owner of search.find(revision, record)?.owners ?? []) {
        counts.set(owner, (counts.get(owner) ?? 0) + 1);
        isNamed = true;
      }
    }
    if (isNamed) await rewriteLink(journal.directory, link.first, rewritten(link));
  }
  return counts;

  function* rewritten(link: { readonly first: number; readonly last: number }): Generator<Uint8Array> {
    for (const { revision, record } of journal.read(link.first, link.last)) {
      meter.add();
      const isTheirs = (userId: string) => search.has(userId, revision);
      const nameless = (key: bigint) => keys.get(search.ownerOfKey(key, revision));
      yield search.find(revision, record) ? withoutUsers(isTheirs, revision, record, places, nameless) : record;
    }
  }
}
