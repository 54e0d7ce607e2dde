import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ColumnSpecs, f32, f64, u32 } from '../../plugins/contract/index.ts';
import { Arena } from './arena.ts';
import { loadHostKernels } from './kernels/host-kernels.ts';
import { layOut, Table } from './table.ts';
import { highArena } from './testing/high-arena.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const BYTES = { f32: 4, f64: 8, u32: 4 } as const;

const drop = (table: Table) => table.drop((address, bytes) => arena.free(address, bytes));

/** Up to 5 columns of any type and of widths around those of vectors. */
const anyColumns: fc.Arbitrary<ColumnSpecs> = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  fc
    .oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(63, 64))
    .chain((width) => fc.constantFrom(f32(width), f64(width), u32(width))),
  { minKeys: 1, noNullPrototype: true },
);

test('rows are laid out by alignment', () => {
  const cases: [ColumnSpecs, number, Record<string, number>][] = [
    [{ a: u32() }, 8, { a: 0 }],
    [{ a: f32(), b: u32(), c: f32() }, 16, { a: 0, b: 4, c: 8 }],
    [{ a: f32(), b: f64() }, 16, { b: 0, a: 8 }],
    [{ a: f32(), v: f32(64) }, 272, { v: 0, a: 256 }],
    [{ a: f32(), v: f32(5), w: f32(7) }, 80, { v: 0, w: 32, a: 64 }],
    [{ a: f64(3), b: f32(3) }, 40, { a: 0, b: 24 }],
    [{ a: f64(4), b: f32() }, 48, { a: 0, b: 32 }],
  ];
  for (const [columns, stride, offsets] of cases) assert.deepEqual(layOut(columns), { stride, offsets });
});

test('columns are aligned and apart, whatever their widths', () => {
  fc.assert(
    fc.property(anyColumns, (columns) => {
      const { stride, offsets } = layOut(columns);
      const taken = new Uint8Array(stride);
      for (const [name, { type, width }] of Object.entries(columns)) {
        const alignment = width >= 4 ? 16 : BYTES[type];
        assert.equal(offsets[name] % alignment, 0);
        if (width >= 4) assert.equal(stride % 16, 0);
        const bytes = taken.subarray(offsets[name], offsets[name] + width * BYTES[type]);
        assert.equal(bytes.length, width * BYTES[type]);
        assert.ok(bytes.every((byte) => byte === 0));
        bytes.fill(1);
      }
      assert.equal(stride % 8, 0);
    }),
  );
});

test('a cell keeps its value and its place while the table grows', () => {
  fc.assert(
    fc.property(
      anyColumns,
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 }),
      (columns, growths) => {
        const table = Table.create(arena, columns);
        const reader = new Table(arena, structuredClone(table.descriptor));
        const written: { address: number; row: number; name: string; lane: number; value: number }[] = [];
        for (const more of growths) {
          const from = table.rows;
          table.grow(from + more);
          assert.equal(reader.rows, from + more);
          for (const row of [from, from + (more >>> 1), from + more - 1]) {
            for (const [name, { type, width }] of Object.entries(columns)) {
              const address = table.column(name)(row);
              const lane = row % width;
              const view = arena[type];
              const index = address / BYTES[type] + lane;
              if (written.some((cell) => cell.row === row && cell.name === name)) continue;
              assert.equal(view[index], 0);
              view[index] = row + 1;
              written.push({ address, row, name, lane, value: row + 1 });
            }
          }
        }
        for (const { address, row, name, lane, value } of written) {
          const { type } = columns[name];
          assert.equal(table.column(name)(row), address);
          assert.equal(arena[type][reader.column(name)(row) / BYTES[type] + lane], value);
        }
        drop(table);
      },
    ),
    { numRuns: 50 },
  );
});

test('rows are contiguous within a segment', () => {
  const table = Table.create(arena, { v: f32(64), n: f32() });
  table.grow(3000);
  const at = table.column('v');
  assert.equal(table.segmentRows, 512);
  for (let row = 1; row < 3000; row++) {
    if (row % table.segmentRows !== 0) assert.equal(at(row), at(row - 1) + table.stride);
  }
});

test('the hash covers every byte of every row', () => {
  fc.assert(
    fc.property(anyColumns, fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat(), (columns, rows, anyRow, anyByte) => {
      const table = Table.create(arena, columns);
      table.grow(rows);
      const before = table.hash(kernels, 1n);
      assert.notEqual(table.hash(kernels, 2n), before);
      for (const row of [0, anyRow % rows, rows - 1]) {
        for (const [name, { type, width }] of Object.entries(columns)) {
          const bytes = width * BYTES[type];
          for (const byte of [0, anyByte % bytes, bytes - 1]) {
            arena.u8[table.column(name)(row) + byte] ^= 1;
            assert.notEqual(table.hash(kernels, 1n), before);
            arena.u8[table.column(name)(row) + byte] ^= 1;
          }
        }
      }
      assert.equal(table.hash(kernels, 1n), before);
      table.grow(rows + 1);
      assert.notEqual(table.hash(kernels, 1n), before);
      drop(table);
    }),
    { numRuns: 30 },
  );
});

test('growth asks for what it said', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 3, 64, 4096), fc.array(fc.nat(4000), { maxLength: 4 }), (width, growths) => {
      const own = Arena.create(2 ** 30);
      const table = Table.create(own, { v: f32(width) });
      for (const more of growths) {
        const { usedBytes } = own;
        const bytes = table.growthBytes(more);
        table.grow(table.rows + more);
        assert.equal(own.usedBytes - usedBytes, bytes);
      }
    }),
    { numRuns: 10 },
  );
});

test('growth that does not fit changes nothing, and can be had later', () => {
  const small = Arena.create(2 ** 20);
  const table = Table.create(small, { v: f32(64) });
  table.grow(5);
  table.grow(1);
  const rest = small.allocate(400 * 1024);
  assert.throws(() => table.grow(5000), { reason: 'MEMORY_FULL' });
  assert.equal(table.rows, 5);
  small.f32[table.column('v')(4) >>> 2] = 4;
  small.free(rest, 400 * 1024);
  table.grow(2000);
  assert.equal(table.rows, 2000);
  assert.equal(small.f32[table.column('v')(4) >>> 2], 4);
});

test('a table takes all of a budget, and no more', () => {
  const small = Arena.create(2 ** 22);
  const table = Table.create(small, { a: f64() });
  assert.throws(
    () => {
      for (;;) table.grow(table.rows + table.segmentRows);
    },
    { reason: 'MEMORY_FULL' },
  );
  assert.ok(small.freeBytes < 256 * 1024);
});

test('a reserved row can be written, and exists only after growth', () => {
  const table = Table.create(arena, { a: u32() });
  table.grow(2);
  table.reserve(100_000);
  assert.equal(table.rows, 2);
  arena.u32[table.column('a')(99_999) >>> 2] = 9;
  table.grow(100_000);
  assert.equal(arena.u32[table.column('a')(99_999) >>> 2], 9);
});

test('a cleared row is zeros, and its neighbours stay', () => {
  const table = Table.create(arena, { v: f32(5), n: u32() });
  const rows = 2 * table.segmentRows;
  table.grow(rows);
  for (const row of [0, table.segmentRows - 1, table.segmentRows, rows - 2]) {
    for (let other = 0; other < rows; other++) {
      const start = table.column('v')(other);
      arena.u8.fill(0xff, start, start + table.stride);
    }
    table.clear(row);
    for (const other of [row - 1, row, row + 1].filter((at) => at >= 0 && at < rows)) {
      const start = table.column('v')(other);
      const bytes = arena.u8.subarray(start, start + table.stride);
      assert.ok(bytes.every((byte) => byte === (other === row ? 0 : 0xff)));
    }
  }
});

test('a dropped table gives everything back', () => {
  const small = Arena.create(2 ** 22);
  const make = () => {
    const table = Table.create(small, { v: f32(64) });
    table.grow(3000);
    table.reserve(6000);
    return table;
  };
  make().drop((address, bytes) => small.free(address, bytes));
  const { usedBytes } = small;
  const table = make();
  assert.equal(small.usedBytes, usedBytes);
  assert.ok(small.f32.subarray(table.column('v')(0) >>> 2, table.column('v')(100) >>> 2).every((value) => value === 0));
});

test('a column that was not declared is named', () => {
  const table = Table.create(arena, { a: u32(), b: u32() });
  assert.throws(() => table.column('c' as 'a'), { message: 'table has no column c; it has a, b' });
});
