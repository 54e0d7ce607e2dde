import { AccreteError } from '../errors.ts';
import { findRevision, NO_REVISION, revisionText } from '../memory/revisions.ts';
import { Fields } from './fields.ts';

/** A range of records as a request names it: both ends included, "" for the oldest and the latest. */
export interface AskedRange {
  readonly firstRevision: string;
  readonly lastRevision: string;
}

export interface RevisionRange {
  /** Undefined: the oldest that is held. */
  readonly from: number | undefined;
  readonly to: number;
}

/**
 * The records that a request names; `learned` is the last that there is. `path` stands before the names of the fields.
 * Throws INVALID_FIELD, REVISION_BEYOND_LAST.
 */
export function requireRange(asked: AskedRange, learned: number, path = ''): RevisionRange {
  const fields = new Fields();
  const read = (name: string, text: string) => {
    const revision = text === '' ? undefined : findRevision(text);
    if (text !== '' && (revision === undefined || revision === NO_REVISION))
      fields.refuse(path + name, 'is no revision: send one that the server gave, as it was, or nothing');
    return revision;
  };
  const from = read('first_revision', asked.firstRevision);
  const to = read('last_revision', asked.lastRevision);
  if (from !== undefined && to !== undefined && from > to)
    fields.refuse(`${path}first_revision`, 'comes after last_revision: the range is empty');
  fields.check();
  for (const revision of [from, to]) if (revision !== undefined && revision > learned) throw beyond(revision, learned);
  return { from, to: to ?? learned };
}

export function beyond(revision: number, last: number, name = 'revision'): AccreteError {
  const message = `${name} ${revisionText(revision)} was never given: the last revision of this server is ${revisionText(last)}`;
  return new AccreteError('REVISION_BEYOND_LAST', message, { metadata: { last_revision: revisionText(last) } });
}
