import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './durable-files.ts';
import { firstRevisionOf, linkName } from './link-chain.ts';
import { type Run, recordsOf, type Salvage, salvageLink } from './link-salvage.ts';

/**
 * What of a damaged journal can be kept: one run of records without a gap, and with it what a checkpoint has learned of those
 * before. Of all runs the one that leads furthest, so that the least of what was answered is lost. Changes nothing.
 */
export interface RepairPlan {
  /** Why the journal cannot be used; undefined: it can. */
  readonly damage: { readonly revision: number; readonly what: string } | undefined;
  /** Revisions `from`..`to`; none where `to` is `from` - 1. */
  readonly keep: RevisionRange & { readonly digest: string };
  /** Records before them, which go, although a checkpoint has what was learned of them. */
  readonly past: RevisionRange & Readable & { readonly checkpoint: number | undefined };
  /** All after them that the files tell of, which may be wrong too, and what of them can still be read. */
  readonly drop: RevisionRange & Readable;
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

interface Readable {
  readonly readable: number;
}

/** A link with records of another, or with none. */
export interface Rewritten {
  /** Undefined: an empty one is made. */
  readonly name: string | undefined;
  /** What it is called then. */
  readonly as: string;
  readonly run: Run;
  readonly source: Salvage['source'];
}

interface NamedLink {
  readonly name: string;
  readonly first: number;
}

/** `checkpoints`: the revisions of those that are whole. */
export function planRepair(directory: string, checkpoints: readonly number[] = []): RepairPlan {
  return surveyJournal(directory).plan(checkpoints);
}

/** Reads all of a journal. */
export function surveyJournal(directory: string): ChainSurvey {
  const links = linksIn(directory);
  const survey = new ChainSurvey(directory, links[0]?.first ?? 1);
  for (const [n, link] of links.entries()) survey.meet(link, links[n + 1]?.first ?? Number.POSITIVE_INFINITY);
  return survey;
}

function linksIn(directory: string): NamedLink[] {
  return namesIn(directory)
    .flatMap((name) => {
      const first = firstRevisionOf(name);
      return first === undefined ? [] : [{ name, first }];
    })
    .sort((a, b) => a.first - b.first);
}

/** What one link has of a run. */
interface Piece extends NamedLink {
  readonly salvage: Salvage;
  readonly run: Run;
}

/** Records side by side, across links. */
type ChainRun = readonly [Piece, ...Piece[]];

interface Choice {
  readonly run: ChainRun | undefined;
  /** Where the journal begins then. */
  readonly from: number;
  readonly to: number;
  readonly checkpoint: number | undefined;
}

const startOf = (run: ChainRun) => run[0].run.from;
const endOf = (run: ChainRun) => (run.at(-1) as Piece).run.to;

/** Meets the links of a journal in their order. */
export class ChainSurvey {
  readonly #directory: string;
  readonly #from: number;
  readonly #names: NamedLink[] = [];
  readonly #runs: ChainRun[] = [];
  #next: number;
  #damage: RepairPlan['damage'];

  constructor(directory: string, from: number) {
    this.#directory = directory;
    this.#from = from;
    this.#next = from;
  }

  /** `end`: where the next link begins. */
  meet(link: NamedLink, end: number): void {
    const { name, first } = link;
    const path = join(this.#directory, name);
    this.#names.push(link);
    if (first > this.#next) this.#note(this.#next, `revisions ${this.#next}..${first - 1} are missing before ${path}`);
    if (first < this.#next) {
      // Its revisions are in the links before it: which of the two is the right one does not show.
      this.#note(this.#next, `${path} holds revision ${first}, which a file before it holds too`);
      return;
    }
    const salvage = salvageLink(path, first);
    const { runs, fault, unsound } = salvage;
    if (fault) this.#note(fault.revision, fault.what);
    else if (unsound !== undefined) this.#note(salvage.end, unsound);
    const isEmpty = runs.length === 0 && !fault;
    for (const run of isEmpty ? [noneFrom(first)] : runs) this.#add({ ...link, salvage, run });
    // How many there were is what the file says, which may be wrong too.
    this.#next = Math.max(first, (runs.at(-1)?.to ?? 0) + 1, Math.min(end, salvage.end));
  }

  plan(checkpoints: readonly number[]): RepairPlan {
    const { run, from, to, checkpoint } = this.#choose(checkpoints);
    const pieces = run ?? [];
    const rewritten = pieces.flatMap((piece) => this.#rewrite(piece));
    if (!run && from > this.#from) rewritten.push(emptyFrom(from));
    const stays = new Set(pieces.map(({ name }) => name));
    const taken = this.#names.filter(({ name }) => !stays.has(name)).map(({ name }) => name);
    const drop = this.#count(to + 1, Number.POSITIVE_INFINITY);
    return {
      damage: this.#damage,
      keep: { from, to, ratings: this.#count(from, to).ratings, ...this.#digest(pieces) },
      past: { from: this.#from, to: from - 1, ...this.#count(this.#from, from - 1), bytes: 0, checkpoint },
      drop: { from: to + 1, to: Math.max(to, this.#next - 1), ...drop, bytes: this.#bytesOf(taken) },
      taken: taken.toReversed(),
      rewritten: rewritten.toReversed(),
    };
  }

  /** The run that leads furthest, and of those that do the longest. */
  #choose(checkpoints: readonly number[]): Choice {
    const [run] = this.#runs;
    const isFirst = run !== undefined && startOf(run) === this.#from;
    const begun: Choice = {
      run: isFirst ? run : undefined,
      from: this.#from,
      to: isFirst ? endOf(run) : this.#from - 1,
      checkpoint: undefined,
    };
    const choices = checkpoints.map((checkpoint): Choice => {
      const next = this.#runs.find((each) => startOf(each) <= checkpoint + 1 && endOf(each) >= checkpoint);
      const [from, to] = next ? [startOf(next), endOf(next)] : [checkpoint + 1, checkpoint];
      return { run: next, from, to, checkpoint };
    });
    const isBetter = (a: Choice, b: Choice) => a.to > b.to || (a.to === b.to && a.from < b.from);
    // Where the first records were let go before, what is left of them is of use with a checkpoint alone.
    const initial = this.#from === 1 || choices.length === 0 ? begun : choices[0];
    return choices.reduce((best, choice) => (isBetter(choice, best) ? choice : best), initial);
  }

  #rewrite({ name, first, salvage, run }: Piece): Rewritten[] {
    const isAll = run.from === first && run.to === salvage.end - 1;
    if (isAll && salvage.unsound === undefined && !salvage.fault) return [];
    return [{ name, as: linkName(run.from), run, source: salvage.source }];
  }

  #add(piece: Piece): void {
    const last = this.#runs.at(-1);
    if (last && endOf(last) === piece.run.from - 1) this.#runs[this.#runs.length - 1] = [...last, piece];
    else this.#runs.push([piece]);
  }

  #count(from: number, to: number): { ratings: number; readable: number } {
    const found = { ratings: 0, readable: 0 };
    for (const { run } of this.#runs.flat()) {
      if (run.from < from || run.to > to) continue;
      found.ratings += run.ratings;
      found.readable += run.to - run.from + 1;
    }
    return found;
  }

  #digest(pieces: readonly Piece[]): { readonly bytes: number; readonly digest: string } {
    const hash = createHash('sha256');
    let bytes = 0;
    for (const { name, run, salvage } of pieces) {
      for (const { record } of recordsOf(join(this.#directory, name), run, salvage)) {
        hash.update(record);
        bytes += record.length;
      }
    }
    return { bytes, digest: hash.digest('hex') };
  }

  #bytesOf(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + statSync(join(this.#directory, name)).size, 0);
  }

  #note(revision: number, what: string): void {
    this.#damage ??= { revision, what };
  }
}

function emptyFrom(from: number): Rewritten {
  return { name: undefined, as: linkName(from), run: noneFrom(from), source: undefined };
}

function noneFrom(from: number): Run {
  return { from, to: from - 1, ratings: 0 };
}
