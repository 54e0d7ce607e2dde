import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { firstRevisionOf } from './link-chain.ts';
import { type Salvage, salvageLink, wholeRecords } from './link-salvage.ts';

/**
 * What of a damaged journal can be kept: everything before the first record that is damaged or missing. Nothing after it:
 * a state without that record would be one that never was. Changes nothing.
 */
export interface RepairPlan {
  /** Why the journal cannot be used; undefined: it can. */
  readonly damage: { readonly revision: number; readonly what: string } | undefined;
  /** Revisions `from`..`to`; none where `to` is `from` - 1. */
  readonly keep: RevisionRange & { readonly digest: string };
  /** All after them that are known to have been, and what of them can still be read. */
  readonly drop: RevisionRange & { readonly readable: number };
  /** Names of links that are taken away; the highest revisions come first. */
  readonly taken: readonly string[];
  /** Links that are written anew, with what is kept of them; the highest revisions come first. */
  readonly rewritten: readonly Rewritten[];
}

export interface RevisionRange {
  readonly from: number;
  readonly to: number;
  /** Ratings and events in those that can be read. */
  readonly ratings: number;
  /** Of the records that are kept; of the files that go. */
  readonly bytes: number;
}

export interface Rewritten {
  readonly name: string;
  readonly first: number;
  readonly salvage: Salvage;
}

interface NamedLink {
  readonly name: string;
  readonly first: number;
}

export function planRepair(directory: string): RepairPlan {
  const links = existsSync(directory) ? linksIn(directory) : [];
  const survey = new ChainSurvey(directory, links[0]?.first ?? 1);
  for (const [n, link] of links.entries()) survey.meet(link, links[n + 1]?.first ?? Number.POSITIVE_INFINITY);
  return survey.plan();
}

function linksIn(directory: string): NamedLink[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const first = firstRevisionOf(name);
      return first === undefined ? [] : [{ name, first }];
    })
    .sort((a, b) => a.first - b.first);
}

/** Meets the links of a journal in their order. */
class ChainSurvey {
  readonly #directory: string;
  readonly #from: number;
  readonly #hash = createHash('sha256');
  readonly #taken: string[] = [];
  readonly #rewritten: Rewritten[] = [];
  readonly #keep = { records: 0, ratings: 0, bytes: 0 };
  readonly #drop = { to: 0, readable: 0, ratings: 0, bytes: 0 };
  #damage: RepairPlan['damage'];
  /** From here on everything is dropped. */
  #isCut = false;

  constructor(directory: string, from: number) {
    this.#directory = directory;
    this.#from = from;
  }

  /** `end`: where the next link begins. */
  meet(link: NamedLink, end: number): void {
    const { name, first } = link;
    const path = join(this.#directory, name);
    const salvage = salvageLink(path, first);
    const next = this.#from + this.#keep.records;
    if (first > next) this.#note(next, `revisions ${next}..${first - 1} are missing before ${path}`);
    if (this.#isCut || first > next) this.#lose(link, salvage);
    else if (first === next) this.#preserve(link, salvage, end);
    else {
      // Its revisions are in the links before it: which of the two is the right one does not show.
      this.#note(next, `${path} holds revision ${first}, which a file before it holds too`);
      this.#take(name);
    }
  }

  plan(): RepairPlan {
    const { records, ...kept } = this.#keep;
    const to = this.#from + records - 1;
    return {
      damage: this.#damage,
      keep: { from: this.#from, to, ...kept, digest: this.#hash.digest('hex') },
      drop: { ...this.#drop, from: to + 1, to: Math.max(to, this.#drop.to) },
      taken: this.#taken.toReversed(),
      rewritten: this.#rewritten.toReversed(),
    };
  }

  #preserve(link: NamedLink, salvage: Salvage, end: number): void {
    const { name, first } = link;
    const { whole, beyond, unreadable, fault, unsound } = salvage;
    for (const { record } of wholeRecords(join(this.#directory, name), first, salvage)) {
      this.#hash.update(record);
      this.#keep.bytes += record.length;
    }
    this.#keep.records += whole.records;
    this.#keep.ratings += whole.ratings;
    if (fault === undefined && unsound === undefined) return;
    this.#note(first + whole.records, fault ?? `${unsound}`);
    if (fault === undefined || whole.records > 0) this.#rewritten.push({ name, first, salvage });
    else this.#take(name);
    if (fault === undefined) return;
    this.#isCut = true;
    this.#drop.readable += beyond.records;
    this.#drop.ratings += beyond.ratings;
    // How many there were is what the file says, which may be wrong too.
    this.#drop.to = Math.min(end, first + whole.records + beyond.records + unreadable) - 1;
  }

  #lose({ name, first }: NamedLink, { whole, beyond, unreadable }: Salvage): void {
    this.#isCut = true;
    this.#drop.readable += whole.records + beyond.records;
    this.#drop.ratings += whole.ratings + beyond.ratings;
    this.#drop.to = Math.max(this.#drop.to, first + whole.records + beyond.records + unreadable - 1);
    this.#take(name);
  }

  #take(name: string): void {
    this.#taken.push(name);
    this.#drop.bytes += statSync(join(this.#directory, name)).size;
  }

  #note(revision: number, what: string): void {
    this.#damage ??= { revision, what };
  }
}
