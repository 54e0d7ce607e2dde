import type { DamageMark } from '../store/damage-mark.ts';
import type { Journal } from '../store/journal.ts';
import { decodeRecord } from '../store/record.ts';
import { requireSoundLink } from '../store/sound-link.ts';

/** What of a journal a start looks at although it need not learn it. */

/** What takes no longer at the pace of the check is read before anything is answered; more of it, beside the stream. */
const SECONDS_MAX = 2;

/**
 * Reads the records up to `to`, which are in the checkpoint that the start begins from, and all pages that LMDB would follow:
 * unless that is too much and nothing was found damaged before. Returns up to which record nobody has read them: 0 or `to`.
 * Throws STORE_DAMAGED.
 */
export function readPast(
  journal: Journal,
  mark: DamageMark,
  bytesPerSecond: number,
  to: number,
  onRecord: (revision: number) => void = () => {},
): number {
  const isLarge = journal.size().bytes > SECONDS_MAX * bytesPerSecond;
  if (to >= journal.firstRevision && isLarge && !mark.isSet) return to;
  for (const { path } of journal.links()) requireSoundLink(path, 'whole');
  for (const { revision, record } of journal.read(journal.firstRevision)) {
    if (revision > to) break;
    decodeRecord(record, revision);
    onRecord(revision);
  }
  mark.clear();
  return 0;
}
