import { statSync } from 'node:fs';
import { linkDamaged } from './failure.ts';
import type { JournalEntry } from './journal.ts';
import { LinkPages } from './link-pages.ts';
import { countRatings } from './record-contents.ts';
import { requireSoundLink } from './sound-link.ts';

/** What of a link that may be damaged can still be read: by its bytes, never by LMDB. Nothing is changed. */

/** Records, and the ratings and events in them. */
export interface Amount {
  records: number;
  ratings: number;
}

export interface Salvage {
  /** From its first revision on, without a gap: these are as they were written. */
  readonly whole: Amount;
  /** Those after them that can be read. */
  readonly beyond: Amount;
  /** Those after them that must have been there and cannot be read. */
  readonly unreadable: number;
  /** Why the first one that is not whole is not; undefined: all are. */
  readonly fault: string | undefined;
  /** Why LMDB cannot bear the file; undefined: it can. */
  readonly unsound: string | undefined;
  /** The meta page by which most can be read; undefined: the newer one, as always. */
  readonly meta: 0 | 1 | undefined;
}

/** Looks at a link that should begin with revision `first`, or have nothing. */
export function salvageLink(path: string, first: number): Salvage {
  const unsound = messageOf(() => requireSoundLink(path, 'whole'));
  const newer = survey(path, first, undefined);
  if (newer.fault === undefined && unsound === undefined) return { ...newer, unsound };
  // The newer of the two meta pages may be all that is damaged; the other one knows all but the last append.
  const [one, other] = [survey(path, first, 0), survey(path, first, 1)];
  const best = other.whole.records > one.whole.records ? other : one;
  if (best.whole.records <= newer.whole.records) return { ...newer, unsound };
  if (newer.fault === undefined) return { ...best, unsound };
  return { ...best, unreadable: Math.max(1, best.unreadable), fault: newer.fault, unsound };
}

/** The whole records once more; the bytes of each are valid until the next step. */
export function* wholeRecords(path: string, first: number, { whole, meta }: Salvage): Generator<JournalEntry> {
  if (whole.records === 0) return;
  const pages = new LinkPages(path, meta);
  try {
    yield* walk(pages, first, first + whole.records);
  } finally {
    pages.close();
  }
}

type Survey = Omit<Salvage, 'unsound'>;

function survey(path: string, first: number, meta: 0 | 1 | undefined): Survey {
  const whole = { records: 0, ratings: 0 };
  const beyond = { records: 0, ratings: 0 };
  let pages: LinkPages | undefined;
  let end = first;
  const fault = messageOf(() => {
    pages = new LinkPages(path, meta);
    end = first + Math.min(pages.recordCount, Math.floor(statSync(path).size / RECORD_ROOM));
    for (const { revision, record } of walk(pages, first, end)) {
      whole.ratings += countRatings(record, revision);
      whole.records++;
    }
  });
  try {
    if (fault === undefined) return { whole, beyond, unreadable: 0, fault, meta };
    for (let revision = first + whole.records + 1; pages && revision < end; revision++) {
      const ratings = findRatings(pages, revision);
      if (ratings === undefined) continue;
      beyond.records++;
      beyond.ratings += ratings;
    }
    return { whole, beyond, unreadable: Math.max(1, end - first - whole.records - beyond.records), fault, meta };
  } finally {
    pages?.close();
  }
}

/** No record takes less of a file. */
const RECORD_ROOM = 16;

/** Records `from` up to `end`. Throws at the first that is not there. */
function* walk(pages: LinkPages, from: number, end: number): Generator<JournalEntry> {
  for (let revision = from; revision < end; ) {
    const leaf = pages.find(revision);
    if (!leaf) throw linkDamaged(pages.path, `revision ${revision} is not in it`, revision);
    const stop = Math.min(end, revision + leaf.count);
    for (let n = 0; revision < stop; n++, revision++) yield { revision, record: leaf.record(n) };
  }
}

/** Of a record that can be read. */
function findRatings(pages: LinkPages, revision: number): number | undefined {
  try {
    const leaf = pages.find(revision);
    return leaf && countRatings(leaf.record(0), revision);
  } catch {
    return undefined;
  }
}

/** What a step fails with; undefined: it does not. */
function messageOf(step: () => void): string | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
