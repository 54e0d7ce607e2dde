/**
 * The layout of a link: that of LMDB's data version 2 (mdb.c: MDB_meta, MDB_page_header, MDB_node, MDB_ovpage),
 * little-endian. Two meta pages, of which the one with the higher transaction counts, and a tree of pages from its root.
 */

export const LINK_MAGIC = 0xbeef_c0de;
export const DATA_VERSION = 2;
/** Stands where a tree has no root. */
export const NO_PAGE = 0xffff_ffff_ffff_ffffn;
/** Deeper than any tree can be. */
export const DEPTH_MAX = 32;

/** Of every page. */
export const PAGE_NUMBER_AT = 0;
export const FLAGS_AT = 18;
/** Bytes of the list of nodes, which are 16-bit offsets from the end of the header. */
export const LOWER_AT = 20;
export const PAGE_HEADER_BYTES = 24;

/** Flags of pages. */
export const BRANCH = 1;
export const LEAF = 2;
export const LARGE = 4;
export const META = 8;

/** Of a meta page. */
export const MAGIC_AT = 24;
export const VERSION_AT = 28;
export const MAP_BYTES_AT = 40;
export const PAGE_BYTES_AT = 48;
export const FILE_FLAGS_AT = 52;
export const FREE_ROOT_AT = 88;
export const ENTRIES_AT = 128;
export const ROOT_AT = 136;
export const LAST_PAGE_AT = 144;
export const TRANSACTION_AT = 152;
export const META_BYTES = 168;
/** The size of pages where none is told. */
export const USUAL_PAGE_BYTES = 4096;

export function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}

/** Of the whole file: whether it stands in a folder of its own, which does not matter here, and how keys are compared. */
export const NO_FOLDER = 0x4000;
export const INTEGER_KEYS = 8;

/** Of a node. */
export const NODE_HEADER_BYTES = 8;
export const KEY_BYTES = 8;
/** Its value has pages of its own; the node has the number of the first one. */
export const IS_LARGE = 1;
