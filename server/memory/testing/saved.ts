import assert from 'node:assert/strict';
import type { Arena } from '../arena.ts';
import type { Table } from '../table.ts';
import { UndoRows } from '../undo-rows.ts';

/** Requires that a checkpoint has a table as it was when that began, although it was changed meanwhile. */
export function requireSavedAsItWas(arena: Arena, table: Table, change: () => void): void {
  if (arena.undo.capacity === 0) arena.undo.reserve(arena.budgetBytes, (bytes) => arena.allocate(bytes));
  const { rows } = table;
  const column = table.column(Object.keys(table.columns)[0]);
  const imageOf = (segment: number) => {
    // The first row of a segment begins where its first column does, if that is laid out first.
    const start = Math.floor(column(segment * table.segmentRows) / 64) * 64;
    return Buffer.from(arena.u8.slice(start, start + table.segmentBytes(segment, rows)));
  };
  table.abandonSaving();
  arena.undo.begin();
  table.beginSaving();
  const undo = new UndoRows(arena.undo, 2 ** 20);
  const segments = Array.from({ length: table.segmentCount(rows) }, (_, segment) => segment);
  const expected = segments.map(imageOf);
  change();
  assert.notDeepEqual(segments.map(imageOf), expected, 'something has changed');
  const found = segments.map((segment) => {
    const into = Buffer.alloc(table.segmentBytes(segment, rows));
    assert(table.save(segment, into, undo));
    return into;
  });
  arena.undo.close();
  assert.deepEqual(found, expected);
}
