import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AccreteError } from '../errors.ts';
import { errorCode, revisionGone } from './failure.ts';
import type { JournalEntry } from './journal.ts';
import { firstRevisionOf, linkName } from './link-chain.ts';
import { type Leaf, LinkPages } from './link-pages.ts';

/**
 * The journal as another thread of the process than its writer reads it. It makes, renames and removes nothing, and
 * follows the writer to new links.
 */
export class JournalReader {
  readonly directory: string;
  readonly #durable: () => number;

  /**
   * `directory`: the journal's folder. `durable`: the last revision that may be read, which the writer has made durable
   * (`Revisions.learned`).
   */
  constructor(directory: string, durable: () => number) {
    this.directory = directory;
    this.#durable = durable;
  }

  /** The oldest revision that is still held. */
  get firstRevision(): number {
    return this.#links()[0] ?? 1;
  }

  /** Of its files. */
  get bytes(): number {
    return this.#links().reduce((sum, first) => sum + sizeOf(join(this.directory, linkName(first))), 0);
  }

  /** The newest revision that may be read: it grows. */
  get lastRevision(): number {
    return this.#durable();
  }

  /** The full files, up to the one that ends with `to`: from which to which revision each goes. */
  links(to: number): { readonly first: number; readonly last: number }[] {
    const firsts = this.#links();
    const links = firsts.slice(0, -1).map((first, n) => ({ first, last: firsts[n + 1] - 1 }));
    return links.filter(({ last }) => last <= to);
  }

  /**
   * Yields every record from revision `from` to `to`, skipping none. A record's bytes are valid until the next step.
   * Throws REVISION_GONE when they are not kept any more, and STORE_DAMAGED, with the revision.
   */
  *read(from: number, to = this.lastRevision): IterableIterator<JournalEntry> {
    assert(from >= 1 && Number.isSafeInteger(from), 'revisions begin at 1');
    assert(to <= this.lastRevision, `revision ${to} may not be on disk yet`);
    let link: LinkPages | undefined;
    try {
      for (let revision = from; revision <= to; ) {
        let leaf: Leaf | undefined = link?.find(revision);
        if (!leaf) {
          link?.close();
          link = undefined;
          link = this.#open(revision);
          leaf = link.find(revision);
          if (!leaf) throw this.#missing(revision);
        }
        const count = Math.min(leaf.count, to - revision + 1);
        for (let n = 0; n < count; n++) yield { revision: revision + n, record: leaf.record(n) };
        revision += count;
      }
    } finally {
      link?.close();
    }
  }

  /** The link that holds `revision`. */
  #open(revision: number): LinkPages {
    const first = this.#links().findLast((candidate) => candidate <= revision);
    if (first === undefined) throw this.#missing(revision);
    try {
      return new LinkPages(join(this.directory, linkName(first)));
    } catch (error) {
      // The writer dropped it between the two looks.
      if (errorCode(error) === 'ENOENT') throw this.#missing(revision);
      throw error;
    }
  }

  /** First revisions, ascending. */
  #links(): number[] {
    const firsts = readdirSync(this.directory).map(firstRevisionOf);
    return firsts.filter((first) => first !== undefined).sort((a, b) => a - b);
  }

  #missing(revision: number): AccreteError {
    const { firstRevision } = this;
    if (revision < firstRevision) return revisionGone(revision, firstRevision);
    const message = `the journal in ${this.directory} does not hold revision ${revision}`;
    return new AccreteError('STORE_DAMAGED', `${message}; restore its files from a backup`, {
      metadata: { revision: String(revision) },
    });
  }
}

/** A file may go while one looks. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
