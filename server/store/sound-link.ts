import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { linkDamaged } from './failure.ts';
import {
  BRANCH,
  DATA_VERSION,
  DEPTH_MAX,
  FILE_FLAGS_AT,
  FLAGS_AT,
  INTEGER_KEYS,
  IS_LARGE,
  isPageSize,
  KEY_BYTES,
  LARGE,
  LAST_PAGE_AT,
  LEAF,
  LINK_MAGIC,
  LOWER_AT,
  MAGIC_AT,
  META,
  META_BYTES,
  NO_FOLDER,
  NO_PAGE,
  NODE_HEADER_BYTES,
  PAGE_BYTES_AT,
  PAGE_HEADER_BYTES,
  PAGE_NUMBER_AT,
  ROOT_AT,
  TRANSACTION_AT,
  VERSION_AT,
} from './link-layout.ts';

/**
 * Looks whether a link is one that LMDB can bear. LMDB trusts its files: a wrong number of a page ends the process by a
 * signal, where no code of ours can make an error of it. So what LMDB will follow is followed here first: both meta pages,
 * the tree of records and the tree of free pages. What the records hold is not looked at: each has its checksum.
 *
 * The layout is in link-layout.ts. A free page is listed by its number under the transaction that freed it; a
 * negative number says how many pages there are from the next number on (lmdb-js).
 */

/** What will be read of a link: its first and its last record, or anything. */
export type LinkPart = 'ends' | 'whole';

/** Links that were found sound, and what they were like then: what was not written since is not read again. */
const known = new Map<string, string>();
const KNOWN_MAX = 10_000;

/** Throws STORE_DAMAGED for a link that LMDB cannot bear. */
export function requireSoundLink(path: string, part: LinkPart): void {
  const file = openSync(path, 'r');
  try {
    const { dev, ino, size, mtimeNs } = fstatSync(file, { bigint: true });
    const stamp = `${dev} ${ino} ${size} ${mtimeNs}`;
    const before = known.get(path);
    if (before === `${stamp} whole` || before === `${stamp} ${part}`) return;
    new LinkWalk(file, Number(size), part).walk();
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(path, `${stamp} ${part}`);
  } catch (error) {
    throw error instanceof Fault ? linkDamaged(path, error.message) : error;
  } finally {
    closeSync(file);
  }
}

/** What is wrong with a link. */
class Fault extends Error {}

function fail(what: string): never {
  throw new Fault(what);
}

type Content = 'record' | 'free list';

interface Tree {
  readonly content: Content;
  /** -1: it is empty. */
  readonly root: number;
  readonly depth: number;
  readonly entries: number;
}

/** As `numberAt` reads it. */
const NO_ROOT = Number(NO_PAGE);

class LinkWalk {
  readonly #file: number;
  readonly #fileBytes: number;
  readonly #part: LinkPart;
  #pageBytes = 0;
  #lastPage = 0;
  /** The newest one. */
  #transaction = 0;
  /** 1: the page has a place. */
  #taken = new Uint8Array(0);
  #entries = 0;
  /** The transaction of the free list before. */
  #freedLast = 0;

  constructor(file: number, fileBytes: number, part: LinkPart) {
    this.#file = file;
    this.#fileBytes = fileBytes;
    this.#part = part;
  }

  walk(): void {
    const { records, free } = this.#metas();
    this.#follow(records);
    // Only a writer looks at it.
    if (this.#part === 'whole') this.#follow(free);
  }

  /** The trees of the newer of the two meta pages. */
  #metas(): { readonly records: Tree; readonly free: Tree } {
    const first = this.#read(META_BYTES, 0);
    this.#pageBytes = first.readUInt32LE(PAGE_BYTES_AT);
    if (first.readUInt32LE(MAGIC_AT) !== LINK_MAGIC) fail('it is no file of LMDB');
    if (!isPageSize(this.#pageBytes)) fail('its pages have no size');
    const metas = [first, this.#read(META_BYTES, this.#pageBytes)];
    const wrong = metas.findIndex((meta, n) => !this.#isMeta(meta, n));
    if (wrong >= 0) fail(`its page ${wrong} is not what LMDB begins with`);
    // They take turns: one that fell behind would give up an append without a word.
    const [even, odd] = metas.map((meta) => numberAt(meta, TRANSACTION_AT));
    const isNew = even === 0 && odd === 0 && metas.every((meta) => numberAt(meta, ROOT_AT) === NO_ROOT);
    if (Math.abs(even - odd) !== 1 && !isNew) fail('its first two pages do not belong together');
    const newer = metas[odd > even ? 1 : 0];
    this.#lastPage = numberAt(newer, LAST_PAGE_AT);
    this.#transaction = numberAt(newer, TRANSACTION_AT);
    const bytes = (this.#lastPage + 1) * this.#pageBytes;
    if (bytes > this.#fileBytes) fail(`it is ${this.#fileBytes} bytes long, and says that ${bytes} are in use`);
    this.#taken = new Uint8Array(this.#lastPage + 1).fill(1, 0, 2);
    return { free: treeAt(newer, 48, 'free list'), records: treeAt(newer, 96, 'record') };
  }

  #isMeta(meta: Buffer, n: number): boolean {
    const isOurs = meta.readUInt32LE(MAGIC_AT) === LINK_MAGIC && meta.readUInt32LE(VERSION_AT) === DATA_VERSION;
    const hasFlags = (meta.readUInt16LE(FILE_FLAGS_AT) & ~NO_FOLDER) === INTEGER_KEYS && meta.readUInt16LE(100) === 0;
    const transaction = meta.readUInt32LE(TRANSACTION_AT);
    return (
      numberAt(meta, PAGE_NUMBER_AT) === n &&
      meta.readUInt16LE(FLAGS_AT) === META &&
      isOurs &&
      hasFlags &&
      meta.readUInt32LE(PAGE_BYTES_AT) === this.#pageBytes &&
      (transaction === 0 || transaction % 2 === n)
    );
  }

  #follow({ content, root, depth, entries }: Tree): void {
    this.#entries = 0;
    if (depth > DEPTH_MAX || (root === NO_ROOT) !== (depth === 0)) fail(`its tree of ${content}s has no root`);
    if (depth > 0) this.#visit(root, depth, content);
    if (this.#part === 'whole' && this.#entries !== entries)
      fail(`it has ${this.#entries} ${content}s, and says ${entries}`);
  }

  /** Page `number`, and what is below it: so many pages, itself included, lead to a value. */
  #visit(number: number, depth: number, content: Content): void {
    this.#take(number, 1);
    const page = this.#read(this.#pageBytes, number * this.#pageBytes);
    const room = this.#pageBytes - PAGE_HEADER_BYTES;
    const upper = page.readUInt16LE(22);
    const lower = page.readUInt16LE(LOWER_AT);
    const nodes = lower >>> 1;
    const isKind = page.readUInt16LE(FLAGS_AT) === (depth === 1 ? LEAF : BRANCH) && nodes >= (depth === 1 ? 1 : 2);
    if (!this.#isPage(page, number) || !isKind || lower % 2 !== 0 || lower > upper || upper > room)
      fail(`its page ${number} does not hold ${content}s`);
    for (let n = 0; n < nodes; n++) {
      const at = page.readUInt16LE(PAGE_HEADER_BYTES + 2 * n);
      if (at < upper || at + NODE_HEADER_BYTES + (depth === 1 ? KEY_BYTES : 0) > room)
        fail(`a node of its page ${number} is not in it`);
      const node = PAGE_HEADER_BYTES + at;
      const keyBytes = page.readUInt16LE(node + 6);
      // The first node of a branch has no key, or one that does not matter.
      if (keyBytes !== KEY_BYTES && (depth === 1 || n > 0 || keyBytes !== 0))
        fail(`its page ${number} has a key of ${keyBytes} bytes`);
      if (at + NODE_HEADER_BYTES + keyBytes > room) fail(`a key of its page ${number} is not in it`);
      if (depth === 1) this.#leaf(page, node, content);
      else if (this.#part === 'whole' || n === 0 || n === nodes - 1)
        this.#visit(page.readUInt32LE(node) + page.readUInt16LE(node + 4) * 2 ** 32, depth - 1, content);
    }
  }

  /** LMDB changes pages in place that no finished transaction wrote. */
  #isPage(header: Buffer, number: number): boolean {
    return numberAt(header, PAGE_NUMBER_AT) === number && numberAt(header, 8) <= this.#transaction;
  }

  #leaf(page: Buffer, node: number, content: Content): void {
    const bytes = page.readUInt32LE(node);
    const flags = page.readUInt16LE(node + 4);
    const data = node + NODE_HEADER_BYTES + KEY_BYTES;
    this.#entries++;
    const fits = flags === IS_LARGE ? data + 24 <= page.length : flags === 0 && data + bytes <= page.length;
    if (!fits) fail(`what is in its page ${numberAt(page, PAGE_NUMBER_AT)} runs past it`);
    const isLarge = flags === IS_LARGE;
    if (isLarge) this.#large(numberAt(page, data), numberAt(page, data + 16), bytes);
    if (content === 'record') return;
    this.#freedBy(numberAt(page, node + NODE_HEADER_BYTES));
    const list = isLarge ? this.#read(bytes, numberAt(page, data) * this.#pageBytes + PAGE_HEADER_BYTES) : undefined;
    this.#freed(list ?? page.subarray(data, data + bytes));
  }

  /** A value of so many bytes with pages of its own. */
  #large(page: number, pages: number, bytes: number): void {
    if (pages !== Math.ceil((PAGE_HEADER_BYTES + bytes) / this.#pageBytes))
      fail(`its page ${page} is not one of ${pages}`);
    this.#take(page, pages);
    const header = this.#read(PAGE_HEADER_BYTES, page * this.#pageBytes);
    const isIt = header.readUInt16LE(FLAGS_AT) === LARGE && header.readUInt32LE(20) === pages;
    if (!this.#isPage(header, page) || !isIt) fail(`its page ${page} is not one of ${pages}`);
  }

  #freedBy(transaction: number): void {
    if (transaction <= this.#freedLast || transaction > this.#transaction)
      fail(`its free pages are those of transaction ${transaction}`);
    this.#freedLast = transaction;
  }

  #freed(list: Buffer): void {
    const count = list.length >= 8 ? numberAt(list, 0) : -1;
    if (list.length % 8 !== 0 || count < 0 || count >= list.length / 8) fail('a list of its free pages is none');
    for (let n = 1; n <= count; n++) {
      const value = Number(list.readBigInt64LE(8 * n));
      if (value > 0) this.#take(value, 1);
      if (value >= 0) continue;
      if (++n > count) fail('a list of its free pages is cut off');
      this.#take(Number(list.readBigInt64LE(8 * n)), -value);
    }
  }

  /** A page has one place. */
  #take(first: number, count: number): void {
    if (first < 2 || first + count - 1 > this.#lastPage) fail(`it has no page ${first + count - 1}`);
    for (let page = first; page < first + count; page++) {
      if (this.#taken[page] !== 0) fail(`its page ${page} has two places`);
      this.#taken[page] = 1;
    }
  }

  #read(bytes: number, position: number): Buffer {
    if (position + bytes > this.#fileBytes) fail(`it is only ${this.#fileBytes} bytes long`);
    const into = Buffer.allocUnsafe(bytes);
    if (readSync(this.#file, into, 0, bytes, position) !== bytes) fail(`it ends before byte ${position + bytes}`);
    return into;
  }
}

function treeAt(meta: Buffer, at: number, content: Content): Tree {
  return {
    content,
    depth: meta.readUInt16LE(at + 6),
    entries: numberAt(meta, at + 32),
    root: numberAt(meta, at + 40),
  };
}

/** 64 bits; beyond 2^53 no number is the right one. */
function numberAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}
