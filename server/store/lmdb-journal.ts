import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AccreteError } from '../errors.ts';
import { freeBytes, makeFolderDurably, namesIn, renameDurably, syncToDisk } from './durable-files.ts';
import { diskFull, isDiskFull, storeFailure } from './failure.ts';
import {
  APPEND_BYTES_MAX,
  type Journal,
  type JournalEntry,
  type JournalLink,
  type JournalSize,
  RECORD_BYTES_MAX,
} from './journal.ts';
import { firstRevisionOf, type LinkSpan, linkName, lockPathOf, requireUnbroken } from './link-chain.ts';
import { Link } from './lmdb.ts';
import type { LinkPart } from './sound-link.ts';

/**
 * A journal in a chain of LMDB files, the links: `<first revision>.mdb`, full ones never touched again. A file can be
 * removed as a whole, which is the only way to make LMDB forget. Rotation happens between appends.
 */

export interface LmdbJournalOptions {
  /** Its folder, made when missing. */
  readonly directory: string;
  /** Where a link is full. An append that is larger by itself gets a link of its own. */
  readonly linkBytes: number;
  /** Where a new journal begins; 1 unless it says so. */
  readonly firstRevision?: number;
}

export class LmdbJournal implements Journal {
  readonly #options: LmdbJournalOptions;
  /** All links but the last, in order. */
  #sealed: LinkSpan[] = [];
  #tail: Link;
  #tailFirst: number;
  #last: number;
  #appending: Promise<void> | undefined;
  #dropping: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'failed' | 'closed' = 'open';
  /** Counts failures, reopenings and the closing, so that iterations from before notice. */
  #generation = 0;

  private constructor(options: LmdbJournalOptions, chain: Chain) {
    this.#options = options;
    this.#sealed = chain.sealed;
    this.#tail = chain.tail;
    this.#tailFirst = chain.tailFirst;
    this.#last = chain.last;
  }

  /** Checks that no revision is missing; does not read the records. */
  static async open(options: LmdbJournalOptions): Promise<LmdbJournal> {
    assert(options.linkBytes >= LINK_BYTES_MIN, `a link takes ${LINK_BYTES_MIN} bytes at least`);
    return new LmdbJournal(options, await openChain(options));
  }

  get firstRevision(): number {
    return this.#sealed.length > 0 ? this.#sealed[0].first : this.#tailFirst;
  }

  get lastRevision(): number {
    return this.#last;
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    assert(this.#state === 'open', `the journal is ${this.#state}`);
    assert(this.#appending === undefined, 'one append at a time');
    assert(records.length > 0, 'an append has records');
    const bytes = bytesNeeded(records, this.#tail.pageBytes);
    this.#appending = this.#append(this.#last + 1, records, bytes);
    try {
      await this.#appending;
      this.#last += records.length;
    } catch (error) {
      this.#state = 'failed';
      this.#generation++;
      throw await this.#appendFailure(error, records.length, bytes);
    } finally {
      this.#appending = undefined;
    }
  }

  async #appendFailure(cause: unknown, count: number, bytes: number): Promise<AccreteError> {
    const what = `revisions ${this.#last + 1}..${this.#last + count} were perhaps not kept`;
    // LMDB calls a write that was cut short for want of room an input/output error.
    const room = await freeBytes(this.#options.directory);
    if (room < bytes || isDiskFull(cause)) return diskFull(cause, what);
    return new AccreteError('APPEND_FAILED', `${what}; send them again with the same request_id`, { cause });
  }

  async #append(first: number, records: readonly Uint8Array[], bytes: number): Promise<void> {
    const isFull = this.#tail.usedBytes + bytes > this.#options.linkBytes;
    if (isFull && first > this.#tailFirst) await this.#rotate(first);
    await this.#tail.append(first, records);
  }

  async #rotate(first: number): Promise<void> {
    const full = this.#tail;
    const next = await createLink(this.#options, first);
    this.#sealed.push({ path: full.path, first: this.#tailFirst, last: this.#last });
    this.#tail = next;
    this.#tailFirst = first;
    await full.close();
  }

  async seal(): Promise<void> {
    assert(this.#state === 'open' && this.#appending === undefined, 'an append runs, or has failed');
    if (this.#last < this.#tailFirst) return;
    try {
      this.#appending = this.#rotate(this.#last + 1);
      await this.#appending;
    } catch (error) {
      throw storeFailure(error, 'APPEND_FAILED', 'the journal could not begin another file', 'try again');
    } finally {
      this.#appending = undefined;
    }
  }

  read(fromRevision: number): IterableIterator<JournalEntry> {
    assert(fromRevision >= 1 && Number.isSafeInteger(fromRevision), 'revisions begin at 1');
    assert(this.#state === 'open', `the journal is ${this.#state}`);
    if (fromRevision <= this.#last && fromRevision < this.firstRevision) throw this.#gone(fromRevision);
    return this.#entries(fromRevision, this.#last, this.#generation);
  }

  *#entries(from: number, to: number, generation: number): IterableIterator<JournalEntry> {
    let link: Link | undefined;
    let linkLast = 0;
    let record = new Uint8Array(4096);
    try {
      for (let revision = from; revision <= to; revision++) {
        this.#requireUnchanged(generation, revision);
        if (revision > linkLast) {
          if (link) void link.close();
          const span = this.#sealedLinkOf(revision);
          link = span && openSealed(span);
          linkLast = span ? span.last : 0;
        }
        const bytes = (link ?? this.#tail).get(revision);
        if (bytes.length > record.length) record = new Uint8Array(2 * bytes.length);
        record.set(bytes);
        yield { revision, record: record.subarray(0, bytes.length) };
      }
    } finally {
      if (link) void link.close();
    }
  }

  /** `undefined`: it is in the last link. */
  #sealedLinkOf(revision: number): LinkSpan | undefined {
    return revision >= this.#tailFirst ? undefined : this.#sealed.find((span) => revision <= span.last);
  }

  async reopen(): Promise<void> {
    assert(this.#state !== 'closed', 'the journal is closed');
    assert(this.#appending === undefined, 'the append has settled');
    this.#state = 'failed';
    this.#generation++;
    await this.#dropping;
    if (!this.#tail.closed) await this.#tail.close();
    const chain = await openChain(this.#options);
    this.#sealed = chain.sealed;
    this.#tail = chain.tail;
    this.#tailFirst = chain.tailFirst;
    this.#last = chain.last;
    this.#state = 'open';
  }

  size(): JournalSize {
    let bytes = this.#tail.usedBytes;
    for (const { path } of this.#sealed) bytes += statSync(path).size;
    return { linkCount: this.#sealed.length + 1, bytes };
  }

  links(): readonly JournalLink[] {
    if (this.#state !== 'open') return [];
    const { path, usedBytes } = this.#tail;
    const tail = { path, first: this.#tailFirst, last: this.#last, bytes: usedBytes };
    return [...this.#sealed.map((span) => ({ ...span, bytes: statSync(span.path).size })), tail];
  }

  dropBefore(revision: number): Promise<number> {
    const dropped = this.#dropping.then(() => (this.#state === 'open' ? this.#drop(revision) : 0));
    this.#dropping = dropped.catch(() => {});
    return dropped;
  }

  /** One after the other, each of them for good: were a later one gone first, there would be a gap. */
  async #drop(revision: number): Promise<number> {
    let count = 0;
    for (let [oldest] = this.#sealed; oldest && oldest.last < revision; [oldest] = this.#sealed) {
      this.#sealed.shift();
      try {
        await rm(oldest.path);
        await syncToDisk(this.#options.directory);
        await rm(lockPathOf(oldest.path), { force: true });
      } catch (error) {
        if (existsSync(oldest.path)) this.#sealed.unshift(oldest);
        throw error;
      }
      count++;
    }
    return count;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    await this.#appending?.catch(() => {});
    await this.#dropping;
    this.#state = 'closed';
    this.#generation++;
    if (!this.#tail.closed) await this.#tail.close();
  }

  #requireUnchanged(generation: number, revision: number): void {
    if (generation === this.#generation) return;
    throw new AccreteError(
      'APPEND_FAILED',
      `the journal was closed or reopened meanwhile: read again from revision ${revision}`,
    );
  }

  #gone(revision: number): AccreteError {
    const message = `the journal begins at revision ${this.firstRevision}: revision ${revision} is not kept any more`;
    return new AccreteError('STORE_DAMAGED', `${message}; start from a checkpoint or restore the older files`, {
      metadata: { revision: String(revision), firstRevision: String(this.firstRevision) },
    });
  }
}

/** What LMDB needs to hold one append and the way to it. */
export const LINK_BYTES_MIN = 1024 * 1024;

export const LINK_DRAFT = '.new';

interface Chain {
  readonly sealed: LinkSpan[];
  readonly tail: Link;
  readonly tailFirst: number;
  readonly last: number;
}

async function openChain(options: LmdbJournalOptions): Promise<Chain> {
  const { directory, firstRevision = 1 } = options;
  await makeFolderDurably(directory);
  const firsts = listLinks(directory);
  const tailFirst = firsts.pop();
  if (tailFirst === undefined) {
    const tail = await createLink(options, firstRevision);
    return { sealed: [], tail, tailFirst: firstRevision, last: firstRevision - 1 };
  }
  const sealed = firsts.map((first) => inspectSealed(join(directory, linkName(first)), first));
  const tail = openTail(options, tailFirst);
  // A killed process may have left in the page cache what the disk does not have yet.
  await syncToDisk(tail.path);
  const last = lastRevisionOf(tail, tailFirst);
  requireUnbroken([...sealed, { path: tail.path, first: tailFirst, last }]);
  return { sealed, tail, tailFirst, last };
}

/** First revisions, ascending. Takes away drafts that a killed process left behind. */
function listLinks(directory: string): number[] {
  const firsts: number[] = [];
  for (const name of namesIn(directory)) {
    const first = firstRevisionOf(name);
    if (first !== undefined) firsts.push(first);
    else if (name.includes(LINK_DRAFT)) rmSync(join(directory, name));
  }
  return firsts.sort((a, b) => a - b);
}

/** Made under another name first: a file of the chain is never half made. */
async function createLink(options: LmdbJournalOptions, first: number): Promise<Link> {
  const path = join(options.directory, linkName(first));
  const draft = path + LINK_DRAFT;
  rmSync(draft, { force: true });
  await Link.create(draft);
  await rename(lockPathOf(draft), lockPathOf(path));
  await renameDurably(draft, path);
  return openTail(options, first);
}

/** The map is larger than the link will be: it never has to grow while it is in use. */
function openTail(options: LmdbJournalOptions, first: number): Link {
  const path = join(options.directory, linkName(first));
  const mapBytes = Math.max(options.linkBytes, statSync(path).size) + 2 * APPEND_BYTES_MAX;
  return Link.open(path, { mapBytes, readOnly: false });
}

function openSealed({ path }: Pick<LinkSpan, 'path'>, part: LinkPart = 'whole'): Link {
  return Link.open(path, { mapBytes: Math.max(LINK_BYTES_MIN, statSync(path).size), readOnly: true, part });
}

function inspectSealed(path: string, first: number): LinkSpan {
  const link = openSealed({ path }, 'ends');
  try {
    return { path, first, last: lastRevisionOf(link, first) };
  } finally {
    void link.close();
  }
}

/** The last revision of a link, from its highest key, once its lowest key and their number agree with it. */
function lastRevisionOf(link: Link, first: number): number {
  const { recordCount } = link;
  const last = first + recordCount - 1;
  if (recordCount === 0 || (link.find('first') === first && link.find('last') === last)) return last;
  const found = `${recordCount} records with the revisions ${link.find('first')}..${link.find('last')}`;
  const message = `the journal's file ${link.path} holds ${found}: it should begin at ${first} and have no gap`;
  throw new AccreteError('STORE_DAMAGED', `${message}; restore it from a backup, under its own name`, {
    metadata: { path: link.path, revision: String(first) },
  });
}

/** An upper bound of what an append takes of a file. */
function bytesNeeded(records: readonly Uint8Array[], pageBytes: number): number {
  let total = 0;
  let nodes = 0;
  let pages = PAGES_TO_THE_END;
  for (const { length } of records) {
    assert(length > 0 && length <= RECORD_BYTES_MAX, `a record has 1..${RECORD_BYTES_MAX} bytes, not ${length}`);
    total += length;
    const isLarge = length > pageBytes / 2 - NODE_BYTES * 4; // it has pages of its own, and a place that says which
    if (isLarge) pages += Math.ceil((length + NODE_BYTES) / pageBytes);
    nodes += NODE_BYTES + (isLarge ? 8 : length);
  }
  assert(total <= APPEND_BYTES_MAX, `an append has at most ${APPEND_BYTES_MAX} bytes, not ${total}`);
  // Of two pages side by side more than one is full. A fiftieth of them is for the branches above.
  return Math.ceil(pages + (2.04 * nodes) / pageBytes) * pageBytes;
}

/** A record's key and header in a page, or the header of its own pages. */
const NODE_BYTES = 32;
/** LMDB writes the pages from the root to the end anew, and a list of those that this freed. */
const PAGES_TO_THE_END = 24;
