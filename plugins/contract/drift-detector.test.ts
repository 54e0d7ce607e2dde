import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../server/memory/arena.ts';
import { Table } from '../../server/memory/table.ts';
import { randomNumbers } from '../../test/support/ratings.ts';
import { DRIFTS_KEPT } from './drift.ts';
import { DriftDetector, driftItem, driftTable, driftUser, type WatchedTables } from './drift-detector.ts';
import type { RatingEvent } from './plugin.ts';

const USERS = 50;
const ITEMS = 40;
/** The ratings of the blocks after which the test begins. */
const FIRST = 64 * 256;

/** A detector over tables of its own; `watch` shows it so many errors. */
function create(threshold = 10) {
  const arena = Arena.create(2 ** 22);
  const make = (columns: Table['columns'], rows: number) => {
    const table = Table.create(arena, columns);
    table.grow(rows);
    return table;
  };
  const tables = { drift: make(driftTable.columns, 1), users: make(driftUser, USERS), items: make(driftItem, ITEMS) };
  const watched = tables as unknown as WatchedTables;
  const detector = new DriftDetector(watched, arena as never, { threshold, action: 'reopened' });
  const random = randomNumbers(3);
  let revision = 0;
  const watch = (count: number, errorOf: (user: number, item: number, noise: number) => number, more = {}) => {
    const found: number[] = [];
    for (let n = 0; n < count; n++) {
      const [user, item] = [Math.floor(USERS * random()), Math.floor(ITEMS * random())];
      // Near to normal, of variance 1.
      const noise = 2 * (random() + random() + random() - 1.5);
      const event = { user, item, value: 3, weight: 1, time: 5, order: 0, previous: undefined, ...more };
      if (detector.observe({ ...event, revision: ++revision } as RatingEvent, 10, errorOf(user, item, noise)))
        found.push(n);
    }
    return found;
  };
  return { arena, detector, watch, tables };
}

const same = (_user: number, _item: number, noise: number) => noise;
/** Every second item is worth more than it was, the others less. */
const shifted = (by: number) => (_user: number, item: number, noise: number) => noise + (item % 2 === 0 ? by : -by);

test('nothing is found where nothing changes, nor before there is something to compare with', () => {
  const { watch, detector } = create();
  assert.deepEqual([...watch(FIRST / 2, same), ...watch(FIRST / 2, shifted(1))], []);
  assert.deepEqual(create().watch(100_000, same), []);
  assert.deepEqual(detector.findings, []);
});

test('a shift of items is found soon, told of with its evidence, and once', () => {
  const { watch, detector } = create();
  watch(FIRST + 2560, same);
  const found = watch(FIRST, shifted(0.6));
  assert.equal(found.length, 1);
  assert.ok(found[0] < 3000, `after ${found[0]}`);
  const [{ number, revision, time, ratings, statistic, threshold, before, after, action }] = detector.findings;
  assert.deepEqual([number, revision, time, threshold, action], [1, FIRST + 2560 + found[0] + 1, 5, 10, 'reopened']);
  assert.ok(statistic > 10 && ratings % 128 === 0 && Math.abs(ratings - found[0]) < 600, `${statistic}, ${ratings}`);
  assert.ok(Math.abs(before - 1) < 0.1 && after > 1.5, `${before} -> ${after}`);
});

test('larger errors alone are found too, if they are large enough', () => {
  const { watch } = create();
  watch(FIRST, same);
  assert.equal(watch(5000, (_user, _item, noise) => 1.6 * noise).length, 1);
});

test('every second rating is of one user, who is hard to predict: that is no drift', () => {
  const { watch } = create();
  watch(FIRST, same);
  let found = 0;
  for (let n = 0; n < 1000; n++)
    found += watch(1, (_user, _item, noise) => 1.6 * noise, { user: 7 }).length + watch(1, same).length;
  assert.equal(found, 0);
});

test('edits and ratings without weight change nothing', () => {
  const { watch, arena, tables } = create();
  watch(1000, same);
  const before = Buffer.from(arena.u8).toString('latin1');
  watch(500, shifted(3), { previous: { value: 1, weight: 1, time: 0 } });
  watch(500, shifted(3), { weight: 0 });
  assert.equal(Buffer.from(arena.u8).toString('latin1'), before);
  assert.ok(tables.drift.rows === 1);
});

test('so many findings are kept, the latest first', () => {
  const { watch, detector } = create(1);
  for (let n = 0; n < DRIFTS_KEPT + 3; n++)
    watch(FIRST + 1024, (user, item, noise) => (1 + n) * shifted(0.5)(user, item, noise));
  assert.ok(detector.count > DRIFTS_KEPT, `${detector.count}`);
  assert.deepEqual(
    detector.findings.map(({ number }) => number),
    Array.from({ length: DRIFTS_KEPT }, (_, n) => detector.count - n),
  );
});

test('after a restart the errors of another model are compared with nothing', () => {
  const { watch, detector } = create();
  watch(FIRST + 2560, same);
  detector.restart();
  assert.deepEqual(watch(FIRST, shifted(1)), []);
});
