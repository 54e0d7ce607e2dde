import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { linkDamaged } from './failure.ts';
import { RECORD_BYTES_MAX } from './journal.ts';
import {
  BRANCH,
  DEPTH_MAX,
  ENTRIES_AT,
  FLAGS_AT,
  IS_LARGE,
  isPageSize,
  KEY_BYTES,
  LEAF,
  LINK_MAGIC,
  LOWER_AT,
  MAGIC_AT,
  META_BYTES,
  NO_PAGE,
  NODE_HEADER_BYTES,
  PAGE_BYTES_AT,
  PAGE_HEADER_BYTES,
  PAGE_NUMBER_AT,
  ROOT_AT,
  TRANSACTION_AT,
  USUAL_PAGE_BYTES,
} from './link-layout.ts';

/**
 * Reads a link of the journal while another thread of this process adds to it, as plain bytes of the file and without
 * LMDB: in one process lmdb-js gives all who open a file one and the same environment, with the map and the rights of
 * whoever came first, so that a reader that came before the writer would leave it unable to write. This never writes,
 * takes no lock and holds nothing that a thread that is cut off would leave behind.
 *
 * LMDB copies a page before it changes it; a page that transaction n still used is written anew by n + 3 at the earliest.
 * So what was read for n holds if n + 1 or less is the newest one afterwards. The pages of a large record never move:
 * records are neither changed nor removed. The layout is in link-layout.ts.
 */

/** Stands for the highest revision that there is. */
const LAST = Number.MAX_SAFE_INTEGER;

/** A writer that commits while one page is read is soon ahead of nobody. */
const TRIES_MAX = 10_000;

/** Records side by side in one page: a copy, valid until the next read of the same file. */
export interface Leaf {
  readonly count: number;
  record(n: number): Uint8Array;
}

interface Snapshot {
  readonly transaction: bigint;
  readonly root: bigint;
  readonly entries: bigint;
}

export class LinkPages {
  readonly path: string;
  readonly #file: number;
  readonly #meta: 0 | 1 | undefined;
  readonly #page: Buffer;
  readonly #metas: [Buffer, Buffer];
  #large = Buffer.alloc(0);

  /**
   * Opens the file for reading. Throws STORE_DAMAGED for one that is no link. `meta` is the meta page that counts, where
   * the other one may be damaged; without it the newer one does. The second one is looked for where it usually is: the
   * first one is not to be trusted then.
   */
  constructor(path: string, meta?: 0 | 1) {
    this.path = path;
    this.#meta = meta;
    this.#file = openSync(path, 'r');
    const start = Buffer.alloc(META_BYTES);
    const whole = readSync(this.#file, start, 0, META_BYTES, meta === 1 ? USUAL_PAGE_BYTES : 0) === META_BYTES;
    const pageBytes = start.readUInt32LE(PAGE_BYTES_AT);
    if (!whole || start.readUInt32LE(MAGIC_AT) !== LINK_MAGIC || !isPageSize(pageBytes)) {
      this.close();
      throw linkDamaged(path, 'it is no file of LMDB');
    }
    this.#page = Buffer.alloc(pageBytes);
    this.#metas = [Buffer.alloc(pageBytes + META_BYTES), Buffer.alloc(pageBytes + META_BYTES)];
  }

  close(): void {
    closeSync(this.#file);
  }

  /** How many records it says that it has. */
  get recordCount(): number {
    return Number(this.#snapshot().entries);
  }

  /** The records of one page from `revision` on; undefined when the file ends before it. */
  find(revision: number): Leaf | undefined {
    for (let n = 0; n < TRIES_MAX; n++) {
      const snapshot = this.#snapshot();
      const found = snapshot.root === NO_PAGE ? undefined : this.#descend(snapshot.root, revision);
      if (this.#snapshot().transaction > snapshot.transaction + 1n) continue;
      if (typeof found === 'string') throw linkDamaged(this.path, found, revision);
      return found;
    }
    throw linkDamaged(this.path, 'it never stays the same for as long as a page is read', revision);
  }

  /** Pages that the file has, the last of which may be cut off. */
  get pageCount(): number {
    return fstatSync(this.#file).size / this.#page.length;
  }

  /** The records of page `page`, the first of which is `revision`, if it has some: whether the tree leads to it or not. */
  leafAt(page: bigint): (Leaf & { readonly revision: number }) | undefined {
    if (!this.#read(this.#page, this.#page.length, page)) return undefined;
    const nodes = this.#page.readUInt16LE(LOWER_AT) >>> 1;
    const isLeaf = this.#page.readUInt16LE(FLAGS_AT) === LEAF && this.#page.readBigUInt64LE(PAGE_NUMBER_AT) === page;
    if (!isLeaf || nodes === 0 || PAGE_HEADER_BYTES + 2 * nodes > this.#page.length) return undefined;
    const revision = this.#keyOf(0);
    const leaf = Number.isSafeInteger(revision) ? this.#leaf(page, nodes, revision) : undefined;
    return typeof leaf === 'object' ? { ...leaf, revision } : undefined;
  }

  /** The record of the highest revision; undefined when there is none. */
  findLast(): Leaf | undefined {
    return this.find(LAST);
  }

  /** The newest transaction: read until it stays, since the writer may be amid writing it. */
  #snapshot(): Snapshot {
    const [before, after] = this.#metas;
    for (let n = 0; n < TRIES_MAX; n++) {
      if (!this.#read(before, before.length, 0n) || !this.#read(after, after.length, 0n)) break;
      const pageBytes = this.#page.length;
      const at = this.#meta === undefined ? newerMeta(before, pageBytes) : this.#meta * pageBytes;
      if (after.compare(before, at, at + META_BYTES, at, at + META_BYTES) !== 0) continue;
      const [transaction, root] = [after.readBigUInt64LE(at + TRANSACTION_AT), after.readBigUInt64LE(at + ROOT_AT)];
      return { transaction, root, entries: after.readBigUInt64LE(at + ENTRIES_AT) };
    }
    throw linkDamaged(this.path, 'its first two pages cannot be read');
  }

  /** A text says what is wrong, if nothing was written meanwhile. */
  #descend(root: bigint, revision: number): Leaf | string | undefined {
    let page = root;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      if (!this.#read(this.#page, this.#page.length, page)) return `it ends before its page ${page}`;
      const nodes = this.#page.readUInt16LE(LOWER_AT) >>> 1;
      if (nodes === 0 || PAGE_HEADER_BYTES + 2 * nodes > this.#page.length)
        return `its page ${page} has ${nodes} nodes`;
      const flags = this.#page.readUInt16LE(FLAGS_AT);
      if (flags === LEAF) return this.#leaf(page, nodes, revision);
      if (flags !== BRANCH) return `its page ${page} has the flags ${flags}`;
      // The first node of a branch has no key: it leads to all that is before the second.
      const node = this.#nodeAt(
        lastIn(nodes, (n) => n === 0 || this.#keyOf(n) <= revision),
        0,
      );
      if (node === undefined) return `a node of its page ${page} runs past the end`;
      page = BigInt(this.#page.readUInt32LE(node)) + (BigInt(this.#page.readUInt16LE(node + 4)) << 32n);
    }
    return 'its tree does not end';
  }

  #leaf(page: bigint, nodes: number, wanted: number): Leaf | string | undefined {
    const revision = wanted === LAST ? this.#keyOf(nodes - 1) : wanted;
    if (this.#keyOf(nodes - 1) < revision) return undefined;
    const start = lastIn(nodes, (n) => this.#keyOf(n) <= revision);
    let count = 0;
    while (start >= 0 && start + count < nodes && this.#keyOf(start + count) === revision + count) count++;
    if (count === 0) return `revision ${revision} is not in its page ${page}`;
    return { count, record: (n) => this.#record(start + n, revision + n) };
  }

  #record(n: number, revision: number): Uint8Array {
    const node = this.#nodeAt(n) as number;
    const bytes = this.#page.readUInt32LE(node);
    const data = node + NODE_HEADER_BYTES + KEY_BYTES;
    if ((this.#page.readUInt16LE(node + 4) & IS_LARGE) === 0) {
      if (data + bytes <= this.#page.length) return this.#page.subarray(data, data + bytes);
      throw linkDamaged(this.path, `revision ${revision} runs past its page`, revision);
    }
    if (bytes > RECORD_BYTES_MAX) throw linkDamaged(this.path, `revision ${revision} has ${bytes} bytes`, revision);
    if (
      data + 8 > this.#page.length ||
      !this.#makeRoom(PAGE_HEADER_BYTES + bytes) ||
      !this.#read(this.#large, PAGE_HEADER_BYTES + bytes, this.#page.readBigUInt64LE(data))
    )
      throw linkDamaged(this.path, `it ends before revision ${revision} does`, revision);
    return this.#large.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + bytes);
  }

  /** For a large record; false when the file is shorter than that. */
  #makeRoom(bytes: number): boolean {
    if (bytes <= this.#large.length) return true;
    if (bytes > fstatSync(this.#file).size) return false;
    this.#large = Buffer.alloc(2 * bytes);
    return true;
  }

  /** Where node `n` of the page lies; undefined when it is not within the page, with its key. */
  #nodeAt(n: number, keyBytes = KEY_BYTES): number | undefined {
    const node = PAGE_HEADER_BYTES + this.#page.readUInt16LE(PAGE_HEADER_BYTES + 2 * n);
    return node + NODE_HEADER_BYTES + keyBytes <= this.#page.length ? node : undefined;
  }

  /** The revision of node `n`; NaN for what is none. */
  #keyOf(n: number): number {
    const node = this.#nodeAt(n);
    if (node === undefined || this.#page.readUInt16LE(node + 6) !== KEY_BYTES) return Number.NaN;
    const key = node + NODE_HEADER_BYTES;
    return this.#page.readUInt32BE(key) * 2 ** 32 + this.#page.readUInt32BE(key + 4);
  }

  /** False when the file ends before. */
  #read(into: Buffer, bytes: number, page: bigint): boolean {
    const position = Number(page) * this.#page.length;
    return Number.isSafeInteger(position) && readSync(this.#file, into, 0, bytes, position) === bytes;
  }
}

function newerMeta(metas: Buffer, pageBytes: number): number {
  const isSecond = metas.readBigUInt64LE(pageBytes + TRANSACTION_AT) > metas.readBigUInt64LE(TRANSACTION_AT);
  return isSecond ? pageBytes : 0;
}

/** The last of 0 .. count - 1 that `holds`, which holds up to some point; -1 when there is none. */
function lastIn(count: number, holds: (n: number) => boolean): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(middle)) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}
