import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordsOf } from '../../../test/fuse/stage.ts';
import type { Rating } from '../../../test/laws/lab.ts';
import { encodeControl } from '../../store/control.ts';
import type { JournalReader } from '../../store/journal-reader.ts';
import { findWindow } from './find-window.ts';

/** 20 records of 50, of which each tenth rating is taken back; a decision after each. */
const ratings = Array.from(
  { length: 1000 },
  (_, n): Rating => ({ user: 'a', item: `${n}`, value: 3, retract: n % 10 === 0 }),
);
const records = recordsOf(ratings).flatMap(({ record }) => [record, encodeControl({ type: 'resumed' })]);

function journalFrom(firstRevision: number, read: number[] = []): Pick<JournalReader, 'firstRevision' | 'read'> {
  return {
    firstRevision,
    *read(from, last = records.length) {
      for (let revision = from; revision <= last; revision++) {
        read.push(revision);
        yield { revision, record: records[revision - 1] } as never;
      }
    },
  };
}

test('a window is of whole records, and has what was asked for at least, retractions apart', () => {
  const read: number[] = [];
  assert.deepEqual(findWindow(journalFrom(1, read), { last: 40, size: 90, from: 0 }), { start: 36, ratings: 90 });
  assert.deepEqual(findWindow(journalFrom(1), { last: 40, size: 91, from: 0 }), { start: 34, ratings: 135 });
  assert.deepEqual(findWindow(journalFrom(1), { last: 35, size: 1, from: 0 }), { start: 34, ratings: 45 });
  assert.deepEqual(new Set(read).size, read.length, 'each record is read once');
});

test('it begins after a record, and where the journal begins, whatever is asked for', () => {
  assert.deepEqual(findWindow(journalFrom(1), { last: 40, size: 900, from: 0 }), { start: 0, ratings: 900 });
  assert.deepEqual(findWindow(journalFrom(1), { last: 40, size: 900, from: 20 }), { start: 20, ratings: 450 });
  assert.deepEqual(findWindow(journalFrom(30), { last: 40, size: 900, from: 20 }), { start: 29, ratings: 225 });
  assert.deepEqual(findWindow(journalFrom(1), { last: 40, size: 900, from: 40 }), { start: 40, ratings: 0 });
});
