import { constants } from 'node:os';
import { AccreteError, type ErrorReason } from '../errors.ts';
import { revisionText } from '../memory/revisions.ts';

const { ENOSPC, EDQUOT, EFBIG } = constants.errno;
const NO_ROOM: ReadonlySet<unknown> = new Set([ENOSPC, EDQUOT, EFBIG, 'ENOSPC', 'EDQUOT', 'EFBIG']);

/** A failure of the disk: DISK_FULL when it is that, otherwise `reason`. `what` failed, `todo` is what helps. */
export function storeFailure(cause: unknown, reason: ErrorReason, what: string, todo: string): AccreteError {
  if (cause instanceof AccreteError) return cause;
  return isDiskFull(cause) ? diskFull(cause, what) : new AccreteError(reason, `${what}; ${todo}`, { cause });
}

export function diskFull(cause: unknown, what: string): AccreteError {
  return new AccreteError('DISK_FULL', `${what}: the disk is full; make room where the data is`, { cause });
}

/** A file of the journal is not as it was written. */
export function linkDamaged(path: string, what: string, revision?: number, cause?: unknown): AccreteError {
  const metadata = { path, ...(revision === undefined ? {} : { revision: String(revision) }) };
  const message = `the journal's file ${path} is damaged: ${what}. Restore it from a backup; nothing was changed`;
  return new AccreteError('STORE_DAMAGED', message, { metadata, cause });
}

/** A record that was dropped since the journal has to keep no more. */
export function revisionGone(revision: number, firstRevision: number): AccreteError {
  const message =
    `revision ${revisionText(revision)} is not kept any more: the journal begins at ${revisionText(firstRevision)}. Ask from ` +
    'there on, and raise journal.keepMiB and journal.keepDays to keep more';
  return new AccreteError('REVISION_GONE', message, { metadata: { first_revision: revisionText(firstRevision) } });
}

export function isDiskFull(cause: unknown): boolean {
  return cause instanceof AccreteError ? cause.reason === 'DISK_FULL' : NO_ROOM.has(errorCode(cause));
}

/** The `code` of an error: a text from Node, a number from LMDB (of the system when positive, its own when negative). */
export function errorCode(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
