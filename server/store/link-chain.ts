import { AccreteError } from '../errors.ts';
import { revisionText } from '../memory/revisions.ts';

/** Which revisions a file of the journal holds; `last` is `first` - 1 when it is empty. */
export interface LinkSpan {
  readonly path: string;
  readonly first: number;
  readonly last: number;
}

const NAME = /^(\d{20})\.mdb$/;

/** A link is named after the first revision that it holds, or will hold: 20 digits. */
export function linkName(first: number): string {
  return `${revisionText(first)}.mdb`;
}

/** Where LMDB keeps the lock of a link. */
export function lockPathOf(path: string): string {
  return `${path}-lock`;
}

/** `undefined` for the name of anything else. */
export function firstRevisionOf(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Throws STORE_DAMAGED unless each span, in order, begins where the one before ends. */
export function requireUnbroken(spans: readonly LinkSpan[]): void {
  for (let i = 1; i < spans.length; i++) {
    const [before, span] = [spans[i - 1], spans[i]];
    if (span.first > before.last + 1) throw missing(before, span);
    if (span.first <= before.last) throw overlapping(before, span);
  }
}

function missing(before: LinkSpan, after: LinkSpan): AccreteError {
  const from = before.last + 1;
  return broken(
    from,
    `revisions ${from}..${after.first - 1} are missing between ${before.path} and ${after.path}`,
    `restore ${linkName(from)} and what follows it from a backup`,
  );
}

function overlapping(before: LinkSpan, after: LinkSpan): AccreteError {
  return broken(
    after.first,
    `revision ${after.first} is in ${before.path} and again in ${after.path}`,
    'move away the file that does not belong to this store',
  );
}

function broken(revision: number, what: string, todo: string): AccreteError {
  const metadata = { revision: String(revision) };
  return new AccreteError('STORE_DAMAGED', `the journal is broken: ${what}; ${todo}`, { metadata });
}
