import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { f64, u32 } from '../../plugins/contract/index.ts';
import { Arena } from './arena.ts';
import { Table } from './table.ts';
import { startThread } from './testing/threads.ts';
import { UndoRows } from './undo-rows.ts';

/** How a table is saved as it was, while it is changed. */

const MIB = 2 ** 20;
/** Four rows to a segment. */
const COLUMNS = { a: f64(), b: u32() };
const SEGMENT_BYTES = 64;

function makeTable(rows: number): { arena: Arena; table: Table; write: (row: number, value: number) => number } {
  const arena = Arena.create(32 * MIB);
  arena.undo.reserve(arena.budgetBytes, (bytes) => arena.allocate(bytes));
  const table = Table.create(arena, COLUMNS, SEGMENT_BYTES);
  table.grow(rows);
  const [a, b] = [table.column('a'), table.column('b')];
  const write = (row: number, value: number) => {
    table.touch(row);
    arena.f64[a(row) >>> 3] = value;
    arena.u32[b(row) >>> 2] = value;
    return value;
  };
  return { arena, table, write };
}

/** All bytes of the rows. */
function imageOf(arena: Arena, table: Table): Buffer {
  const at = table.column('a');
  return Buffer.concat(Array.from({ length: table.rows }, (_, row) => arena.u8.slice(at(row), at(row) + table.stride)));
}

function begin(arena: Arena, table: Table): UndoRows {
  arena.undo.begin();
  table.beginSaving();
  return new UndoRows(arena.undo, 1000);
}

/** Saves all; what has not changed is taken from `before`. Says which segments had changed. */
function saveAll(
  table: Table,
  rows: number,
  undo: UndoRows,
  before: Uint8Array = Buffer.alloc(0),
): { image: Buffer; saved: number[] } {
  const image = Buffer.alloc(rows * table.stride);
  image.set(before);
  const saved: number[] = [];
  for (let segment = 0; segment < table.segmentCount(rows); segment++) {
    const at = segment * table.segmentRows * table.stride;
    const into = image.subarray(at, at + table.segmentBytes(segment, rows));
    if (table.save(segment, into, undo)) saved.push(segment);
  }
  return { image, saved };
}

test('only what changed since the last checkpoint is saved, new rows and cleared ones too', () => {
  const { arena, table, write } = makeTable(10);
  let last = saveAll(table, 10, begin(arena, table));
  assert.deepEqual(last.saved, [0, 1, 2]);
  const steps: [() => void, number[]][] = [
    [() => {}, []],
    [() => write(5, 1), [1]],
    [() => table.clear(5), [1]],
    [() => table.grow(11), [2]],
    [() => table.grow(13), [2, 3]],
    [() => table.grow(13), []],
    [() => write(0, write(12, 2)), [0, 3]],
  ];
  for (const [step, expected] of steps) {
    step();
    last = saveAll(table, table.rows, begin(arena, table), last.image);
    assert.deepEqual(last.saved, expected);
    assert.deepEqual(last.image, imageOf(arena, table));
  }
});

test('a failed checkpoint: the next one saves all', () => {
  const { arena, table, write } = makeTable(10);
  saveAll(table, 10, begin(arena, table));
  write(1, 5);
  const undo = begin(arena, table);
  write(2, 6);
  table.save(0, Buffer.alloc(64), undo);
  table.abandonSaving();
  const { image, saved } = saveAll(table, 10, begin(arena, table));
  assert.deepEqual(saved, [0, 1, 2]);
  assert.deepEqual(image, imageOf(arena, table));
});

test('a table is restored as it was saved, and then saves what changes', () => {
  const { arena, table, write } = makeTable(10);
  for (let row = 0; row < 10; row++) write(row, row + 1);
  const { image } = saveAll(table, 10, begin(arena, table));
  const other = Arena.create(16 * MIB);
  other.undo.reserve(other.budgetBytes, (bytes) => other.allocate(bytes));
  const restored = Table.create(other, COLUMNS, SEGMENT_BYTES);
  restored.restore(10, (segment, into) => into.set(image.subarray(64 * segment, 64 * segment + into.length)));
  assert.equal(restored.rows, 10);
  assert.deepEqual(imageOf(other, restored), image);
  restored.touch(9);
  assert.deepEqual(saveAll(restored, 10, begin(other, restored), image).saved, [2]);
});

/** A buffer that is filled in two halves, with `between` in the middle, as another thread may see it. */
function tearable(bytes: number, between: () => void): Uint8Array {
  const into = new Uint8Array(bytes);
  const set = into.set.bind(into);
  into.set = (source: Uint8Array, at = 0) => {
    const half = source.length >>> 1;
    set(source.subarray(0, half), at);
    between();
    set(source.subarray(half), at + half);
  };
  return into;
}

const STEPS = ['load', 'store', 'compareExchange', 'notify'] as const;

/** Runs `work`, and `step` before every atomic step of it and after the last; those of `step` itself do not count. */
function withSteps(work: (step: () => void) => void, step: () => void): void {
  let isInside = false;
  const guarded = () => {
    if (isInside) return;
    isInside = true;
    step();
    isInside = false;
  };
  const mocks = STEPS.map((name) => {
    const original = Atomics[name] as (...args: unknown[]) => unknown;
    return mock.method(Atomics, name, ((...args: unknown[]) => {
      guarded();
      return original(...args);
    }) as never);
  });
  try {
    work(guarded);
  } finally {
    for (const { mock: each } of mocks) each.restore();
  }
  guarded();
}

/** Up to three changes, each of one of three rows. */
const SCRIPTS = [[], [0], [3], [0, 0], [0, 3], [3, 1], [0, 3, 0], [1, 1, 3]];

test('whenever rows change while their segment is saved, it is saved as it was', () => {
  let cases = 0;
  for (const before of SCRIPTS) {
    for (const script of SCRIPTS) {
      // One change at each of `points`; every choice of points that is in order.
      for (const points of choices(14, script.length)) {
        const { arena, table, write } = makeTable(4);
        for (let row = 0; row < 4; row++) write(row, 10 + row);
        const expected = imageOf(arena, table);
        const undo = begin(arena, table);
        for (const row of before) write(row, 20);
        let [moment, next] = [0, 0];
        const step = () => {
          while (next < script.length && points[next] <= moment) write(script[next], 100 + next++);
          moment++;
        };
        let into: Uint8Array = new Uint8Array();
        withSteps((between) => {
          into = tearable(64, between);
          assert(table.save(0, into, undo));
        }, step);
        while (next < script.length) write(script[next], 100 + next++);
        assert.deepEqual(Buffer.from(into), expected, `${before} before, ${script} at ${points}`);
        const changed = before.length + script.length > 0;
        const last = saveAll(table, 4, begin(arena, table), expected);
        assert.deepEqual([last.saved.length, last.image], [Number(changed), imageOf(arena, table)]);
        cases++;
      }
    }
  }
  assert(cases > 1000, `${cases} cases`);
});

test('whenever a segment is saved while a row of it changes, it is saved as it was', () => {
  for (const before of SCRIPTS) {
    for (const row of [0, 3]) {
      for (let point = 0; point < 12; point++) {
        const { arena, table, write } = makeTable(4);
        const expected = imageOf(arena, table);
        const undo = begin(arena, table);
        for (const each of before) write(each, 20);
        const into = new Uint8Array(64);
        let [moment, isSaved] = [0, false];
        const save = () => {
          if (moment++ === point) isSaved = table.save(0, into, undo);
        };
        withSteps(() => write(row, 30), save);
        if (!isSaved) table.save(0, into, undo);
        assert.deepEqual(Buffer.from(into), expected, `${before} before, ${row}, saved at ${point}`);
        const last = saveAll(table, 4, begin(arena, table), expected);
        assert.deepEqual([last.saved.length, last.image], [1, imageOf(arena, table)]);
      }
    }
  }
});

/** All rising choices (with repetition) of `count` points below `below`. */
function choices(below: number, count: number, from = 0): number[][] {
  if (count === 0) return [[]];
  return Array.from({ length: below - from }, (_, n) =>
    choices(below, count - 1, from + n).map((rest) => [from + n, ...rest]),
  ).flat();
}

test('two objects of one table may keep a row twice: the older bytes count', () => {
  const { arena, table } = makeTable(4);
  const other = new Table(arena, table.descriptor);
  const expected = imageOf(arena, table);
  const undo = begin(arena, table);
  for (const [each, value] of [
    [table, 7],
    [other, 8],
  ] as const) {
    each.touch(2);
    arena.f64[each.column('a')(2) >>> 3] = value;
  }
  assert.deepEqual(saveAll(table, 4, undo).image, expected);
});

test('a thread saves while another one writes', async (t) => {
  const { arena, table, write } = makeTable(2000);
  const bell = arena.allocate(16) >>> 2;
  const thread = await startThread(arena, 'saveTable', { table: table.descriptor, bell: 4 * bell });
  t.after(() => thread.finish().catch(() => {}));
  let state = 1;
  const draw = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
  let meanwhile = 0;
  for (let round = 1; round <= 30 && thread.seen < 100; round++) {
    for (let n = 0; n < 200; n++) write(draw(table.rows), draw(1000));
    arena.u32[bell + 2] = crc32(imageOf(arena, table));
    arena.u32[bell + 3] = table.rows;
    arena.undo.begin();
    table.beginSaving();
    Atomics.store(arena.i32, bell, round);
    for (let n = 0; Atomics.load(arena.i32, bell + 1) < round && thread.seen < 100; n++) {
      if (n > 5000) continue;
      write(draw(4) === 0 ? draw(table.rows) : draw(100), draw(1000));
      if (draw(100) === 0) table.grow(table.rows + draw(9));
      meanwhile++;
    }
  }
  await thread.finish();
  assert(meanwhile > 1000, `${meanwhile} writes`);
});

test('whoever waits for room while the last segment is saved goes on', async (t) => {
  const { arena } = makeTable(4);
  const wide = Table.create(arena, { a: u32(4096) });
  wide.grow(400);
  const undo = begin(arena, wide);
  const thread = await startThread(arena, 'touchRows', { table: wide.descriptor, rows: 400 });
  t.after(() => arena.undo.close());
  await sleep(100);
  assert.equal(saveAll(wide, 400, undo).saved.length, wide.segmentCount(400));
  arena.undo.close();
  await thread.result;
  assert.equal(saveAll(wide, 400, begin(arena, wide)).saved.length, wide.segmentCount(400));
});
