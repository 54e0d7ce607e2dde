import type { Removal } from '../../exchange/forgetting.ts';
import { Forgetter } from '../../store/forget-codec.ts';
import { rewriteLink } from '../../store/rewrite-link.ts';
import type { JobContext } from '../job-context.ts';
import { scrubVersions } from './scrub-versions.ts';

export interface PurgeTask {
  readonly userId: string;
  /** The row that the user had; -1: none is known. */
  readonly user: number;
  /** Files of the journal up to this revision are full. */
  readonly to: number;
}

/** Takes a user out of the files of the journal, and of every version that is kept. Throws DISK_FULL. */
export async function* purge({ userId, user, to }: PurgeTask, context: JobContext): AsyncGenerator<Removal[]> {
  const removals = await scrubVersions(user, context);
  yield [{ place: 'journal', count: await purgeJournal(userId, to, context) }, ...removals];
}

async function purgeJournal(userId: string, to: number, { journal, meter }: JobContext): Promise<number> {
  const { firstRevision } = journal;
  const forgetter = new Forgetter(userId, firstRevision === 1);
  let removed = 0;
  meter.begin('purge', 'records', to - firstRevision + 1);
  for (const { first, last } of journal.links(to)) {
    const changed = new Map<number, Uint8Array>();
    for (const { revision, record } of journal.read(first, last)) {
      meter.add();
      const rewritten = forgetter.rewrite(revision, record);
      if (!rewritten) continue;
      changed.set(revision, rewritten.bytes);
      removed += rewritten.removed;
    }
    if (changed.size > 0) await rewriteLink(journal.directory, first, replaced());

    function* replaced(): Generator<Uint8Array> {
      for (const { revision, record } of journal.read(first, last)) yield changed.get(revision) ?? record;
    }
  }
  return removed;
}
