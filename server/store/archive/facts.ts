import { AccreteError } from '../../errors.ts';
import { CHECKPOINT_FORMAT } from '../checkpoints/manifest.ts';
import { STORE_FORMAT } from '../format.ts';

/**
 * A store as of a checkpoint, as one file: an archive of tar, so that other programs can look into it.
 *
 *     accrete.json                 what it is: `Facts`; the first entry
 *     state/<revision>.mdb         the files of the checkpoint, as they are
 *     state/versions/...           kept versions of models, as they are
 *     journal/<revision>.records   records from that revision on, each after its length (u32, little-endian)
 *     SHA256SUMS                   of all before it, as sha256sum writes them; the last entry
 *
 * It is a function of what is in it: the same checkpoint gives the same bytes.
 */

export const ARCHIVE_FORMAT = 1;
export const FACTS = 'accrete.json';
export const SUMS = 'SHA256SUMS';

/** What the file says of itself. */
export interface Facts {
  readonly archive: 'accrete';
  /** Of the archive, of the store, and of the checkpoint. */
  readonly format: number;
  readonly storeFormat: number;
  readonly checkpointFormat: number;
  /** The checkpoint, and when it was made, in milliseconds since 1970. */
  readonly revision: number;
  readonly createdMs: number;
  /** The first record that is in it; the last one is `revision`. Absent: no record is. */
  readonly journalFrom?: number;
}

export function encodeFacts(facts: Omit<Facts, 'archive' | 'format' | 'storeFormat' | 'checkpointFormat'>): Buffer {
  const formats = { format: ARCHIVE_FORMAT, storeFormat: STORE_FORMAT, checkpointFormat: CHECKPOINT_FORMAT };
  return Buffer.from(`${JSON.stringify({ archive: 'accrete', ...formats, ...facts } satisfies Facts, undefined, 2)}\n`);
}

/** `file`: for messages. Throws FILE_DAMAGED, STORE_TOO_NEW. */
export function decodeFacts(bytes: Uint8Array, file: string): Facts {
  const facts = parse(bytes);
  if (facts?.archive !== 'accrete' || !isCount(facts.format)) throw foreign(file);
  const formats = [
    [facts.format, ARCHIVE_FORMAT],
    [facts.storeFormat, STORE_FORMAT],
    [facts.checkpointFormat, CHECKPOINT_FORMAT],
  ] as const;
  if (formats.some(([format = 0, max]) => format > max)) {
    const message = `${file} was written by a newer version of Accrete: use that one, or a newer one`;
    throw new AccreteError('STORE_TOO_NEW', `${message}; nothing was made`, { metadata: { file } });
  }
  const { revision, createdMs, journalFrom = 1 } = facts;
  if (!isCount(revision) || !isCount(journalFrom) || typeof createdMs !== 'number')
    throw fileDamaged(file, `its ${FACTS} is incomplete`);
  return facts as Facts;
}

export function fileDamaged(file: string, what: string, cause?: unknown): AccreteError {
  const message = `${file} is damaged: ${what}. Nothing was made: copy it once more, or export it again`;
  return new AccreteError('FILE_DAMAGED', message, { metadata: { file }, cause });
}

export function foreign(file: string): AccreteError {
  const message = `${file} is no file of \`accrete checkpoint export\`: name one that is; nothing was made`;
  return new AccreteError('FILE_FOREIGN', message, { metadata: { file } });
}

function parse(bytes: Uint8Array): Partial<Facts> | undefined {
  try {
    return (JSON.parse(Buffer.from(bytes).toString()) ?? undefined) as Partial<Facts> | undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
