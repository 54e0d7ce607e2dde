import { type Control, decodeControl } from '../control.ts';
import type { JournalEntry } from '../journal.ts';
import { decodeRecord, recordTypeOf } from '../record.ts';

type Forgotten = Extract<Control, { type: 'forgotten' }>;

/** The decision by which someone was forgotten; undefined: the record is another one. */
export function forgottenBy({ revision, record }: JournalEntry): Forgotten | undefined {
  if (recordTypeOf(record) !== 'control') return undefined;
  const control = decodeControl(decodeRecord(record, revision).payload);
  return control.type === 'forgotten' ? control : undefined;
}

/** The rows of those who were forgotten by these notes, in one of these records each; no more are read than that takes. */
export function findForgotten(notes: readonly string[], records: () => Iterable<JournalEntry>): number[] {
  const wanted = new Set(notes);
  const rows: number[] = [];
  if (wanted.size === 0) return rows;
  for (const entry of records()) {
    const forgotten = forgottenBy(entry);
    if (!forgotten || !wanted.delete(forgotten.note)) continue;
    rows.push(forgotten.user);
    if (wanted.size === 0) break;
  }
  return rows;
}
