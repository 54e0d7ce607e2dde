import { statSync } from 'node:fs';
import { linkDamaged } from './failure.ts';
import type { JournalEntry } from './journal.ts';
import { type Leaf, LinkPages } from './link-pages.ts';
import { LinkScan } from './link-scan.ts';
import { countRatings } from './record-contents.ts';
import { requireSoundLink } from './sound-link.ts';

/** What of a link that may be damaged can still be read: by its bytes, never by LMDB. Nothing is changed. */

/** Records side by side, `from`..`to`, that are as they were written. */
export interface Run {
  readonly from: number;
  readonly to: number;
  /** Ratings and events in them. */
  readonly ratings: number;
}

/** The meta page that counts, undefined: the newer one, as always; or the pages, whatever leads to them. */
type Source = 0 | 1 | 'pages' | undefined;

/** One by which the records of a link are found. */
type Finder = Pick<LinkPages, 'path' | 'recordCount' | 'find' | 'close'>;

function openBy(source: Source, path: string, first: number): Finder {
  return source === 'pages' ? new LinkScan(path, first) : new LinkPages(path, source);
}

export interface Salvage {
  /** What can be read, in order. */
  readonly runs: readonly Run[];
  /** The revision after the last one that it tells of, as far as that shows: it may have had fewer, or more. */
  readonly end: number;
  /** Why a record, the first of them, is not whole; undefined: all are. */
  readonly fault: { readonly revision: number; readonly what: string } | undefined;
  /** Why LMDB cannot bear the file; undefined: it can. */
  readonly unsound: string | undefined;
  /** By what most can be read. */
  readonly source: Source;
}

/** Looks at a link that should begin with revision `first`, or have nothing. */
export function salvageLink(path: string, first: number): Salvage {
  const unsound = messageOf(() => requireSoundLink(path, 'whole'));
  const newer = survey(path, first, undefined);
  if (newer.fault === undefined && unsound === undefined) return { ...newer, unsound };
  // The newer of the two meta pages may be all that is damaged; the other one knows all but the last append.
  let best = better(better(newer, survey(path, first, 0)), survey(path, first, 1));
  const what = newer.fault?.what ?? best.fault?.what;
  if (what === undefined) return { ...best, unsound };
  best = better(best, survey(path, first, 'pages'));
  // Damage that costs no record.
  if (isAll(best, first, newer.end)) return { ...best, fault: undefined, unsound: unsound ?? what };
  const revision = endOfWhole(best.runs, first);
  const end = Math.max(best.end, (best.runs.at(-1)?.to ?? first - 1) + 1, revision + 1);
  return { ...best, end, fault: { revision, what }, unsound };
}

function better(a: Survey, b: Survey): Survey {
  return recordsIn(b) > recordsIn(a) ? b : a;
}

/** Records of a run once more; the bytes of each are valid until the next step. */
export function* recordsOf(
  path: string,
  { from, to }: Run,
  { source }: Pick<Salvage, 'source'>,
): Generator<JournalEntry> {
  const link = openBy(source, path, from);
  try {
    for (let revision = from; revision <= to; ) {
      const leaf = leafOf(link, revision);
      const stop = Math.min(to + 1, revision + leaf.count);
      for (let n = 0; revision < stop; n++, revision++) yield { revision, record: leaf.record(n) };
    }
  } finally {
    link.close();
  }
}

type Survey = Omit<Salvage, 'unsound'>;

function survey(path: string, first: number, source: Source): Survey {
  const found = new Findings(first, source);
  let link: Finder | undefined;
  try {
    link = openBy(source, path, first);
    // What it says of their number may be wrong, too.
    const said = Math.min(link.recordCount, Math.floor(statSync(path).size / RECORD_ROOM));
    found.readAll(link, first + said);
  } catch (error) {
    found.miss(first, error);
  } finally {
    link?.close();
  }
  return found;
}

/** After so many in a row that cannot be read nothing more is looked for: their number may be what is damaged. */
const MISSES_MAX = 10_000;
/** No record takes less of a file. */
const RECORD_ROOM = 16;

class Findings implements Survey {
  readonly runs: Run[] = [];
  readonly source: Source;
  end: number;
  fault: Salvage['fault'];

  constructor(first: number, source: Source) {
    this.end = first;
    this.source = source;
  }

  readAll(link: Finder, end: number): void {
    let [revision, misses] = [this.end, 0];
    this.end = end;
    while (revision < end && misses < MISSES_MAX) {
      try {
        const leaf = leafOf(link, revision);
        const stop = Math.min(end, revision + leaf.count);
        for (let n = 0; revision < stop; n++, revision++) {
          this.#add(revision, countRatings(leaf.record(n), revision));
          misses = 0;
        }
      } catch (error) {
        this.miss(revision++, error);
        misses++;
      }
    }
  }

  miss(revision: number, error: unknown): void {
    this.fault ??= { revision, what: (error as Error).message };
  }

  #add(revision: number, ratings: number): void {
    const last = this.runs.at(-1);
    if (last?.to === revision - 1)
      this.runs[this.runs.length - 1] = { ...last, to: revision, ratings: last.ratings + ratings };
    else this.runs.push({ from: revision, to: revision, ratings });
  }
}

/** Whether all from the first on to the one before `end` are whole, and there were some. */
function isAll({ runs }: Pick<Salvage, 'runs'>, first: number, end: number): boolean {
  return end > first && endOfWhole(runs, first) >= end;
}

function recordsIn({ runs }: Pick<Salvage, 'runs'>): number {
  return runs.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** The first revision that is not whole. */
function endOfWhole([run]: readonly Run[], first: number): number {
  return run?.from === first ? run.to + 1 : first;
}

function leafOf(link: Finder, revision: number): Leaf {
  const leaf = link.find(revision);
  if (!leaf) throw linkDamaged(link.path, `revision ${revision} is not in it`, revision);
  return leaf;
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
