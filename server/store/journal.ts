/**
 * What was accepted, in order: records with the revisions 1, 2, 3, … without gaps. Records are added at the end and
 * never changed. One writer.
 *
 * What an implementation owes:
 *
 * 1. `append` gives its records the next revisions, in their order, and keeps all of them or none.
 * 2. It resolves only when the records would survive a power cut. `lastRevision` counts them from then on. The event
 *    loop runs on meanwhile.
 * 3. One append at a time: a second one before the first has settled is a fault of the program (an assertion). The
 *    bytes given must not change until it has settled.
 * 4. A rejection (DISK_FULL, APPEND_FAILED) leaves the outcome unknown: its records may be there or not, still all or
 *    none. Until `reopen` every append is refused. `reopen` looks at what is there, makes that durable and counts it:
 *    whoever follows the journal reads on from its own position.
 * 5. What `open` and `reopen` find is made durable before it is counted: nothing that was read can be lost later.
 * 6. `read` yields every record from a revision to the last one at the call, skipping none. A record's bytes are valid
 *    until the next step. An iteration ends with an error once an append has failed or the journal is closed.
 * 7. Damage is an error (STORE_DAMAGED) that names the revision, and is never passed over.
 */
export interface Journal {
  /** The oldest revision that is still held; `lastRevision + 1` when none is. */
  readonly firstRevision: number;
  /** The newest revision; 0 when nothing was ever appended. */
  readonly lastRevision: number;
  append(records: readonly Uint8Array[]): Promise<void>;
  /** From a revision of 1 or more; beyond the last one there is nothing to read. */
  read(fromRevision: number): IterableIterator<JournalEntry>;
  reopen(): Promise<void>;
  /** Ends the last file: what is appended from now on is in another one. Not while an append runs. */
  seal(): Promise<void>;
  size(): JournalSize;
  /** Its files, in order; none while an append has failed. */
  links(): readonly JournalLink[];
  /**
   * Drops files whose every record is before `revision`, the oldest first; the last file stays. Resolves with how many,
   * when that is on disk; none while an append has failed. Whatever happens meanwhile, what is left has no gap.
   */
  dropBefore(revision: number): Promise<number>;
  /** Waits for the append that runs. Nothing works afterwards. */
  close(): Promise<void>;
}

export interface JournalEntry {
  readonly revision: number;
  readonly record: Uint8Array;
}

/** A file of the journal, and the records in it. */
export interface JournalLink {
  readonly path: string;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

export interface JournalSize {
  /** Files of the chain. */
  readonly linkCount: number;
  /** Bytes on disk. */
  readonly bytes: number;
}

/** One record: a message of the largest size that can be configured, and its frame. */
export const RECORD_BYTES_MAX = 65 * 1024 * 1024;
/** All records of one append. */
export const APPEND_BYTES_MAX = 256 * 1024 * 1024;
