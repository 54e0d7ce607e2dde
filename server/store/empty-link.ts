import { LINK_MAGIC, MAGIC_AT, PAGE_BYTES_AT, ROOT_AT, USUAL_PAGE_BYTES } from './link-pages.ts';

/**
 * The bytes of a link without records, as LMDB makes them: two meta pages of transaction 0 and no tree. They are ours
 * because lmdb-js ends the process by a signal where the disk fails while it writes them; a file that has them it opens
 * without a write. The layout is described in link-pages.ts.
 */
export function emptyLink(): Buffer {
  const pages = Buffer.alloc(2 * USUAL_PAGE_BYTES);
  for (const page of [0, 1]) {
    const meta = pages.subarray(page * USUAL_PAGE_BYTES);
    meta[PAGE_NUMBER_AT] = page;
    meta[FLAGS_AT] = META;
    meta.writeUInt32LE(LINK_MAGIC, MAGIC_AT);
    meta[VERSION_AT] = DATA_VERSION;
    meta.writeUInt32LE(MAP_BYTES, MAP_BYTES_AT);
    meta.writeUInt32LE(USUAL_PAGE_BYTES, PAGE_BYTES_AT);
    meta.writeUInt16LE(NO_FOLDER | INTEGER_KEYS, FILE_FLAGS_AT);
    meta.writeBigInt64LE(NO_PAGE, FREE_ROOT_AT);
    meta.writeBigInt64LE(NO_PAGE, ROOT_AT);
    meta[LAST_PAGE_AT] = 1;
  }
  return pages;
}

const PAGE_NUMBER_AT = 0;
const FLAGS_AT = 18;
const META = 8;
const VERSION_AT = 28;
const DATA_VERSION = 2;
/** Whoever opens it says how large a map is wanted. */
const MAP_BYTES_AT = 40;
const MAP_BYTES = 64 * 1024;
const FILE_FLAGS_AT = 52;
const NO_FOLDER = 0x4000;
const INTEGER_KEYS = 8;
const FREE_ROOT_AT = 88;
const LAST_PAGE_AT = 144;
const NO_PAGE = -1n;
