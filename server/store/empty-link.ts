import {
  DATA_VERSION,
  FILE_FLAGS_AT,
  FLAGS_AT,
  FREE_ROOT_AT,
  INTEGER_KEYS,
  LAST_PAGE_AT,
  LINK_MAGIC,
  MAGIC_AT,
  MAP_BYTES_AT,
  META,
  NO_FOLDER,
  NO_PAGE,
  PAGE_BYTES_AT,
  PAGE_NUMBER_AT,
  ROOT_AT,
  USUAL_PAGE_BYTES,
  VERSION_AT,
} from './link-layout.ts';

/**
 * The bytes of a link without records, as LMDB makes them: two meta pages of transaction 0 and no tree. They are ours
 * because lmdb-js ends the process by a signal where the disk fails while it writes them; a file that has them it opens
 * without a write. The layout is in link-layout.ts.
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
    meta.writeBigUInt64LE(NO_PAGE, FREE_ROOT_AT);
    meta.writeBigUInt64LE(NO_PAGE, ROOT_AT);
    meta[LAST_PAGE_AT] = 1;
  }
  return pages;
}

/** Whoever opens it says how large a map is wanted. */
const MAP_BYTES = 64 * 1024;
