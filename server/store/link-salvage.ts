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
  if (newer.fault === undefined && unsound === undefined) return { ...newer, ...NOTHING_BEYOND, unsound };
  // The newer of the two meta pages may be all that is damaged; the other one knows all but the last append.
  const surveys = [newer, survey(path, first, 0), survey(path, first, 1)];
  const best = surveys.reduce((a, b) => (b.whole.records > a.whole.records ? b : a));
  const fault = newer.fault ?? best.fault;
  if (fault === undefined) return { ...best, ...NOTHING_BEYOND, unsound };
  return { ...best, ...lookBeyond(path, first, best), fault, unsound };
}

const NOTHING_BEYOND = { beyond: { records: 0, ratings: 0 }, unreadable: 0 } as const;

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

interface Survey extends Pick<Salvage, 'whole' | 'fault' | 'meta'> {
  /** How many records it says that it has, as far as that can be true. */
  readonly said: number;
}

function survey(path: string, first: number, meta: 0 | 1 | undefined): Survey {
  const whole = { records: 0, ratings: 0 };
  let pages: LinkPages | undefined;
  let said = 0;
  const fault = messageOf(() => {
    pages = new LinkPages(path, meta);
    said = Math.min(pages.recordCount, Math.floor(statSync(path).size / RECORD_ROOM));
    for (const { revision, record } of walk(pages, first, first + said)) {
      whole.ratings += countRatings(record, revision);
      whole.records++;
    }
  });
  pages?.close();
  return { whole, fault, meta, said };
}

/** What there is after the first record that is not whole. */
function lookBeyond(
  path: string,
  first: number,
  { whole, meta, said }: Survey,
): Pick<Salvage, 'beyond' | 'unreadable'> {
  const beyond = { records: 0, ratings: 0 };
  const unreadable = () => Math.max(1, said - whole.records - beyond.records);
  if (said <= whole.records) return { beyond, unreadable: unreadable() };
  const pages = new LinkPages(path, meta);
  try {
    let misses = 0;
    for (let revision = first + whole.records + 1; revision < first + said && misses < MISSES_MAX; revision++) {
      const ratings = findRatings(pages, revision);
      misses = ratings === undefined ? misses + 1 : 0;
      if (ratings === undefined) continue;
      beyond.records++;
      beyond.ratings += ratings;
    }
  } finally {
    pages.close();
  }
  return { beyond, unreadable: unreadable() };
}

/** After so many in a row that cannot be read nothing more is looked for: their number may be what is damaged. */
const MISSES_MAX = 10_000;
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
