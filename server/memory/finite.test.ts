import assert from 'node:assert/strict';
import { test } from 'node:test';
import { f32, f64, u32 } from '../../plugins/contract/index.ts';
import { Arena } from './arena.ts';
import { findNotFinite } from './finite.ts';
import { Table } from './table.ts';

test('numbers that are none are found wherever they stand; words that look like them are none', () => {
  const arena = Arena.create(2 ** 22);
  // Several segments.
  const table = Table.create(arena, { mean: f64(), vector: f32(5), words: u32(4) }, 4096);
  table.grow(300);
  const last = table.rows - 1;
  arena.u32.fill(0xffff_ffff, table.column('words')(last) >>> 2, (table.column('words')(last) >>> 2) + 4);
  assert.equal(findNotFinite(arena, table), undefined);
  arena.f32[(table.column('vector')(last) >>> 2) + 4] = Number.NEGATIVE_INFINITY;
  assert.equal(findNotFinite(arena, table), 'vector');
  arena.f64[table.column('mean')(0) >>> 3] = Number.NaN;
  assert.equal(findNotFinite(arena, table), 'mean');
});
