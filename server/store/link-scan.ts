import { type Leaf, LinkPages } from './link-pages.ts';
import { countRatings } from './record-contents.ts';

/**
 * The records of a link whose tree cannot be followed: all pages are looked through, whether anything leads to them or not.
 * LMDB copies a page before it changes it, so most records are there several times, all alike: they are never changed. One
 * that is there in two ways was never finished, in one of them, and counts as none.
 */
export class LinkScan {
  readonly #pages: LinkPages;
  /** By revision: a page that has the record, and its checksum. */
  readonly #places = new Map<number, { readonly page: bigint; readonly sum: number }>();
  readonly #doubtful = new Set<number>();
  readonly #first: number;
  #highest: number;

  /** Throws STORE_DAMAGED where neither of the first two pages says how large pages are. */
  constructor(path: string, first: number) {
    this.#pages = openByAny(path);
    this.#first = first;
    this.#highest = first - 1;
    for (let page = 2n; page < this.#pages.pageCount; page++) {
      const leaf = this.#pages.leafAt(page);
      for (let n = 0; leaf && n < leaf.count; n++) this.#meet(leaf, n, page);
    }
  }

  get path(): string {
    return this.#pages.path;
  }

  /** As the file says it: what was not finished may lie after them. Where it says nothing, up to the highest that was found. */
  get recordCount(): number {
    const said = this.#said();
    return said > 0 && said <= this.#pages.pageCount * RECORDS_MAX ? said : this.#highest + 1 - this.#first;
  }

  find(revision: number): Leaf | undefined {
    const place = this.#doubtful.has(revision) ? undefined : this.#places.get(revision);
    const leaf = place && this.#pages.leafAt(place.page);
    return leaf && { count: 1, record: () => leaf.record(revision - leaf.revision) };
  }

  close(): void {
    this.#pages.close();
  }

  #said(): number {
    try {
      return this.#pages.recordCount;
    } catch {
      return 0;
    }
  }

  #meet(leaf: Leaf & { readonly revision: number }, n: number, page: bigint): void {
    const revision = leaf.revision + n;
    if (revision < this.#first) return;
    try {
      const record = leaf.record(n);
      countRatings(record, revision);
      const sum = Buffer.from(record.buffer, record.byteOffset, record.length).readUInt32LE(record.length - 4);
      const known = this.#places.get(revision);
      if (known && known.sum !== sum) this.#doubtful.add(revision);
      this.#places.set(revision, { page, sum });
      this.#highest = Math.max(this.#highest, revision);
    } catch {
      // Another page may have it whole.
    }
  }
}

/** No page has more records. */
const RECORDS_MAX = 4096;

function openByAny(path: string): LinkPages {
  try {
    return new LinkPages(path);
  } catch {
    return new LinkPages(path, 1);
  }
}
