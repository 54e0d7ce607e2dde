import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { type EventFields, Events } from './events.ts';
import { TextKey } from './ids.ts';
import { Interactions } from './interactions.ts';
import { type HostKernels, loadHostKernels } from './kernels/host-kernels.ts';
import { Reclaimer } from './readers.ts';
import { Scale } from './scale.ts';
import { highArena } from './testing/high-arena.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);
const USERS = 4;
const ITEMS = 5;

function make(own = arena): { events: Events; interactions: Interactions } {
  const interactions = Interactions.create(own);
  return { interactions, events: Events.create(own, interactions, 1) };
}

/** All that can be said of an event, different for each `n`. */
function fieldsOf(n: number, user: number, item: number, kind: number): EventFields {
  const value = n % 3 === 0 ? Number.NaN : n;
  return { user, item, kind, value, weight: n % 7, learned: n % 11, seconds: 1e9 + n, nanos: n };
}

function read(events: Events, row: number): EventFields {
  const fields = fieldsOf(0, 0, 0, 0);
  events.read(row, fields);
  return fields;
}

function named(name: string): TextKey {
  const key = new TextKey();
  key.set(name);
  return key;
}

const anySteps = fc.array(
  fc.record({
    user: fc.nat(USERS - 1),
    item: fc.nat(ITEMS - 1),
    kind: fc.integer({ min: 1, max: 3 }),
    take: fc.nat(4),
  }),
  { maxLength: 120, size: 'max' },
);

test('adding events and taking back all of a kind leave what they would leave in a plain list', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const { events } = make();
      const reader = new Events(arena, structuredClone(events.descriptor));
      const view = reader.history(new Scale(1, 5));
      events.grow(USERS, ITEMS);
      let live: EventFields[] = [];
      let liveMax = 0;
      for (const [n, { user, item, kind, take }] of steps.entries()) {
        const ofKind = (event: EventFields) => event.user === user && event.item === item && event.kind === kind;
        if (take === 0) {
          const rows = events.findAll(user, item, kind);
          assert.deepEqual(
            rows.map((row) => read(reader, row)),
            live.filter(ofKind),
          );
          events.removeAll(user, item, rows, reclaimer);
          live = live.filter((event) => !ofKind(event));
        } else {
          events.add(fieldsOf(n, user, item, kind), reclaimer);
          live.push(fieldsOf(n, user, item, kind));
        }
        liveMax = Math.max(liveMax, live.length);
        assert.equal(reader.count, live.length);
        assert.equal(reader.rows, liveMax, 'rows are used again');
      }
      const listed = (count: number, rowAt: (n: number) => number) =>
        Array.from({ length: count }, (_, n) => read(reader, rowAt(n)));
      for (let user = 0; user < USERS; user++) {
        assert.deepEqual(
          listed(view.userCount(user), (n) => view.ofUser(user, n)),
          live.filter((event) => event.user === user),
        );
      }
      for (let item = 0; item < ITEMS; item++) {
        assert.deepEqual(
          listed(view.itemCount(item), (n) => view.ofItem(item, n)),
          live.filter((event) => event.item === item),
        );
      }
    }),
  );
});

test('events and ratings are numbered by one counter, as they arrive', () => {
  const { events, interactions } = make();
  events.grow(USERS, ITEMS);
  interactions.grow(USERS, ITEMS);
  const click = () => events.serial(events.add(fieldsOf(1, 1, 1, 1), reclaimer));
  const rate = (item: number) => {
    const { learned: _, ...fields } = fieldsOf(1, 1, item, 0);
    return interactions.serial(interactions.add(fields, reclaimer));
  };
  assert.deepEqual([click(), rate(1), click(), click(), rate(2)], [1, 2, 3, 4, 5]);
});

test('a kind keeps its number, and every thread knows its name', () => {
  const { events } = make();
  const reader = new Events(arena, structuredClone(events.descriptor));
  assert.equal(events.findKind(named('click')), -1);
  assert.equal(reader.kindName(1), '');
  assert.deepEqual(
    ['click', 'buy', 'click'].map((name) => events.obtainKind(named(name), reclaimer)),
    [1, 2, 1],
  );
  assert.equal(events.findKind(named('buy')), 2);
  assert.deepEqual(
    [0, 1, 2, 3].map((kind) => reader.kindName(kind)),
    ['', 'click', 'buy', ''],
  );
  assert.equal(reader.kindCount, 2);
});

test('plugins see names, weights as learned, and values on the scale 1..5', () => {
  const { events } = make();
  events.grow(USERS, ITEMS);
  const kind = events.obtainKind(named('buy'), reclaimer);
  const row = events.add({ ...fieldsOf(1, 2, 3, kind), value: 10, weight: 2, learned: 6, nanos: 5e8 }, reclaimer);
  const without = events.add({ ...fieldsOf(1, 2, 3, kind), value: Number.NaN }, reclaimer);
  const view = events.history(new Scale(0, 10));
  assert.deepEqual([view.user(row), view.item(row), view.kind(row)], [2, 3, 'buy']);
  assert.deepEqual([view.value(row), view.weight(row), view.time(row)], [5, 6, 1e9 + 1.5]);
  assert.ok(Number.isNaN(view.value(without)));
  const shown = events.add({ ...fieldsOf(1, 2, 3, kind), learned: -6 }, reclaimer);
  const shownInVain = events.add({ ...fieldsOf(1, 2, 3, kind), learned: -0 }, reclaimer);
  assert.deepEqual([row, shown, shownInVain].map(view.exposure), [false, true, true]);
  assert.deepEqual([view.weight(shown), view.weight(shownInVain)], [6, 0]);
  assert.equal(view.rows, 4);
  events.mute(row);
  assert.equal(view.weight(row), 0);
  assert.equal(read(events, row).weight, 2);
  events.add(fieldsOf(2, 2, 3, kind), reclaimer);
  assert.equal(view.rows, 5);
});

test('the hash sees everything that an event says, and the names of kinds', () => {
  const { events } = make();
  events.grow(USERS, ITEMS);
  events.obtainKind(named('buy'), reclaimer);
  const row = events.add(fieldsOf(1, 1, 2, 1), reclaimer);
  const fields = read(events, row);
  const before = events.hash(kernels, 0n);
  for (const name of ['kind', 'value', 'weight', 'learned', 'seconds', 'nanos'] as const) {
    events.write(row, { ...fields, [name]: fields[name] + 1 });
    assert.notEqual(events.hash(kernels, 0n), before, name);
  }
  events.write(row, fields);
  assert.equal(events.hash(kernels, 0n), before);
  events.obtainKind(named('click'), reclaimer);
  assert.notEqual(events.hash(kernels, 0n), before);
});

test('an event that does not fit changes nothing, wherever memory ends', () => {
  const hashOf = (events: Events, own: HostKernels) => events.hash(own, 0n);
  for (let spare = 0; spare < 100_000; spare += 2048) {
    const own = Arena.create(2 ** 22);
    const ownReclaimer = new Reclaimer(own);
    const { events } = make(own);
    events.grow(2000, 2000);
    events.add(fieldsOf(0, 0, 0, 1), ownReclaimer);
    own.allocate(own.freeBytes - spare);
    let n = 1;
    assert.throws(
      () => {
        for (; ; n++) events.add(fieldsOf(n, n % 40, n, 1), ownReclaimer);
      },
      { reason: 'MEMORY_FULL' },
    );
    const { events: whole } = make();
    whole.grow(2000, 2000);
    for (let held = 0; held < n; held++) whole.add(fieldsOf(held, held % 40, held, 1), reclaimer);
    assert.equal(hashOf(events, loadHostKernels(own.memory)), hashOf(whole, kernels));
    assert.equal(events.count, n);
  }
});
