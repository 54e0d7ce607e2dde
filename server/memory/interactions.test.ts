import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_ROW, type WritableAddress } from '../../plugins/contract/index.ts';
import { Arena } from './arena.ts';
import { hashPair } from './hash.ts';
import { HashIndex } from './hash-index.ts';
import { Interactions, type RatingFields } from './interactions.ts';
import { loadHostKernels } from './kernels/host-kernels.ts';
import { Reclaimer } from './readers.ts';
import { Scale } from './scale.ts';
import { highArena } from './testing/high-arena.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);
const USERS = 5;
const ITEMS = 6;

interface Step {
  readonly user: number;
  readonly item: number;
  readonly retract: boolean;
  readonly value: number;
  readonly collect: boolean;
}

const anySteps = fc.array(
  fc.record<Step>({
    user: fc.nat(USERS - 1),
    item: fc.nat(ITEMS - 1),
    retract: fc.boolean(),
    value: fc.double({ noNaN: true }),
    collect: fc.boolean(),
  }),
  { maxLength: 150, size: 'max' },
);

/** All that can be said of a rating, different for each `n`. */
function fieldsOf({ user, item, value }: Step, n: number): RatingFields {
  const [seconds, nanos] = [1.7e9 + n, 999_999_999 - n];
  return { user, item, kind: n % 3, value, weight: (n % 20) / 2, seconds, nanos };
}

/** Takes one step; what is not there is not retracted. */
function apply(interactions: Interactions, step: Step, n: number, own = reclaimer): void {
  const fields = fieldsOf(step, n);
  const row = interactions.find(step.user, step.item);
  if (step.retract) {
    if (row >= 0) interactions.remove(row, own);
  } else if (row >= 0) interactions.write(row, fields);
  else interactions.add(fields, own);
}

function make(own = arena): Interactions {
  const interactions = Interactions.create(own);
  interactions.grow(USERS, ITEMS);
  return interactions;
}

function read(interactions: Interactions, row: number): RatingFields {
  const fields = { user: -1, item: -1, kind: -1, value: -1, weight: -1, seconds: -1, nanos: -1 };
  interactions.read(row, fields);
  return fields;
}

/** The same in plain objects: live ratings in order of arrival. */
class Reference {
  readonly live: RatingFields[] = [];
  liveMax = 0;

  apply(step: Step, n: number): void {
    const at = this.live.findIndex((rating) => rating.user === step.user && rating.item === step.item);
    if (step.retract) {
      if (at >= 0) this.live.splice(at, 1);
    } else if (at >= 0) this.live[at] = fieldsOf(step, n);
    else this.live.push(fieldsOf(step, n));
    this.liveMax = Math.max(this.liveMax, this.live.length);
  }
}

test('rating, editing and retracting leave what they would leave in plain lists', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const interactions = make();
      const reader = new Interactions(arena, structuredClone(interactions.descriptor));
      const history = reader.history(new Scale(1, 5));
      const reference = new Reference();
      for (const [n, step] of steps.entries()) {
        apply(interactions, step, n);
        reference.apply(step, n);
        if (step.collect) reclaimer.collect();
        assert.equal(reader.count, reference.live.length);
        assert.ok(reader.rows === reference.liveMax, 'rows are used again');
      }
      const ofUser = (user: number) =>
        Array.from({ length: history.userCount(user) }, (_, n) => read(reader, history.ofUser(user, n)));
      const ofItem = (item: number) =>
        Array.from({ length: history.itemCount(item) }, (_, n) => read(reader, history.ofItem(item, n)));
      for (let user = 0; user < USERS; user++) {
        assert.deepEqual(
          ofUser(user),
          reference.live.filter((rating) => rating.user === user),
        );
        for (let item = 0; item < ITEMS; item++) {
          const row = reader.find(user, item);
          const expected = reference.live.find((rating) => rating.user === user && rating.item === item);
          assert.deepEqual(row < 0 ? undefined : read(reader, row), expected);
        }
      }
      for (let item = 0; item < ITEMS; item++) {
        assert.deepEqual(
          ofItem(item),
          reference.live.filter((rating) => rating.item === item),
        );
      }
    }),
  );
});

test('plugins see the ratings on the scale 1..5', () => {
  const interactions = make();
  interactions.add({ user: 2, item: 3, kind: 0, value: 7.5, weight: 2, seconds: 1000, nanos: 5e8 }, reclaimer);
  interactions.add({ user: 2, item: 1, kind: 0, value: 0, weight: 1, seconds: 1001, nanos: 0 }, reclaimer);
  const history = interactions.history(new Scale(0, 10));
  assert.equal(history.rows, 2);
  assert.deepEqual([history.userCount(2), history.userCount(0), history.itemCount(1)], [2, 0, 1]);
  assert.deepEqual([history.userCount(NO_ROW), history.itemCount(NO_ROW)], [0, 0]);
  const row = history.ofUser(2, 0);
  assert.deepEqual([history.user(row), history.item(row), history.value(row)], [2, 3, 4]);
  assert.deepEqual([history.weight(row), history.time(row)], [2, 1000.5]);
  assert.equal(history.value(history.ofItem(1, 0)), 1);
  assert.deepEqual([history.find(2, 3), history.find(2, 1), history.find(2, 2)], [row, history.ofUser(2, 1), NO_ROW]);
  assert.deepEqual([history.find(NO_ROW, 3), history.find(2, NO_ROW)], [NO_ROW, NO_ROW]);
});

test("plugins get a user's latest ratings at once, and learn in which order ratings came", () => {
  const interactions = make();
  const step = { user: 1, item: 0, retract: false, value: 3, collect: false };
  for (const item of [4, 2, 5, 0]) apply(interactions, { ...step, item, value: item }, item);
  const history = interactions.history(new Scale(0, 4));
  const [items, values] = [4, 8].map((bytes) => arena.allocate(bytes * ITEMS) as WritableAddress);
  const latest = (user: number, end: number, most: number) => {
    const count = history.latest(user, end, most, items, values);
    return Array.from({ length: count }, (_, n) => [arena.u32[(items >>> 2) + n], arena.f64[(values >>> 3) + n]]);
  };
  assert.deepEqual(latest(1, 4, 2), [
    [0, 1],
    [5, 6],
  ]);
  assert.deepEqual(latest(1, 2, 9), [
    [2, 3],
    [4, 5],
  ]);
  for (const [user, end, most] of [
    [1, 0, 9],
    [1, 4, 0],
    [2, 9, 9],
    [NO_ROW, 9, 9],
  ])
    assert.deepEqual(latest(user, end, most), []);
  assert.equal(latest(1, 99, 99).length, 4);
  const orders = () => Array.from({ length: history.userCount(1) }, (_, n) => history.order(history.ofUser(1, n)));
  assert.deepEqual(orders(), [1, 2, 3, 4]);
  apply(interactions, { ...step, item: 2, retract: true }, 9);
  apply(interactions, { ...step, item: 5, value: 1 }, 9);
  assert.equal(interactions.nextSerial, 5);
  apply(interactions, { ...step, item: 2 }, 9);
  assert.deepEqual(orders(), [1, 3, 4, 5]);
});

test('a retracted rating leaves a row whose weight is 0', () => {
  const interactions = make();
  const row = interactions.add(fieldsOf({ user: 1, item: 1, retract: false, value: 3, collect: false }, 4), reclaimer);
  interactions.remove(row, reclaimer);
  const history = interactions.history(new Scale(1, 5));
  assert.equal(history.rows, 1);
  assert.deepEqual(
    { ...read(interactions, row), user: 0 },
    { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 },
  );
  assert.equal(interactions.find(1, 1), -1);
  assert.equal(interactions.count, 0);
});

test('pairs of one hash are told apart', () => {
  const interactions = make();
  const index = new HashIndex(arena, interactions.descriptor.pairs);
  const row = interactions.add(fieldsOf({ user: 1, item: 2, retract: false, value: 3, collect: false }, 1), reclaimer);
  for (const [user, item] of [
    [1, 3],
    [3, 2],
    [2, 1],
    [0, 0],
  ]) {
    // As if the other pair had the hash of this one.
    index.add(hashPair(user, item), row, reclaimer);
    assert.equal(interactions.find(user, item), -1);
  }
  assert.equal(interactions.find(1, 2), row);
});

test('the hash is a function of the steps, not of when memory was reclaimed', () => {
  fc.assert(
    fc.property(anySteps, fc.array(fc.boolean(), { minLength: 150, maxLength: 150 }), (steps, collects) => {
      const [first, second] = [make(), make()];
      for (const [n, step] of steps.entries()) {
        apply(first, step, n);
        if (step.collect) reclaimer.collect();
      }
      for (const [n, step] of steps.entries()) {
        apply(second, step, n);
        if (collects[n]) reclaimer.collect();
      }
      assert.equal(first.hash(kernels, 0n), second.hash(kernels, 0n));
      const fields = fieldsOf({ user: 0, item: 0, retract: false, value: 1, collect: false }, 999);
      const row = first.find(0, 0);
      if (row < 0) first.add(fields, reclaimer);
      else first.write(row, fields);
      assert.notEqual(first.hash(kernels, 0n), second.hash(kernels, 0n));
    }),
    { numRuns: 30 },
  );
});

test('the hash sees everything that a rating says', () => {
  const interactions = make();
  const step = { user: 1, item: 2, retract: false, value: 3, collect: false };
  for (let item = 0; item < 5; item++) apply(interactions, { ...step, item }, item);
  const row = interactions.find(1, 2);
  const fields = read(interactions, row);
  const before = interactions.hash(kernels, 0n);
  for (const name of ['kind', 'value', 'weight', 'seconds', 'nanos'] as const) {
    interactions.write(row, { ...fields, [name]: fields[name] + 1 });
    assert.notEqual(interactions.hash(kernels, 0n), before, name);
  }
  interactions.write(row, fields);
  for (const pairs of [interactions.byUser.pairs(1), interactions.byItem.pairs(2)]) {
    arena.u32[pairs] ^= 1;
    assert.notEqual(interactions.hash(kernels, 0n), before);
    arena.u32[pairs] ^= 1;
  }
  assert.equal(interactions.hash(kernels, 0n), before);
  interactions.remove(row, reclaimer);
  assert.notEqual(interactions.hash(kernels, 0n), before);
});

test('growth asks for no more than it said', () => {
  const batches = fc.array(fc.record({ more: fc.nat(2000), users: fc.integer({ min: 1, max: 3000 }) }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(batches, (sequence) => {
      const own = Arena.create(2 ** 27);
      const ownReclaimer = new Reclaimer(own);
      const interactions = Interactions.create(own);
      let item = 0;
      for (const { more, users } of sequence) {
        const { usedBytes } = own;
        const bytes = interactions.growthBytes(more);
        for (let n = 0; n < more; n++, item++) {
          interactions.grow(Math.max(interactions.byUser.rows, (n % users) + 1), item + 1);
          const fields = fieldsOf({ user: n % users, item, retract: false, value: 1, collect: false }, n);
          interactions.add(fields, ownReclaimer);
        }
        assert.ok(own.usedBytes - usedBytes <= bytes);
      }
    }),
    { numRuns: 20 },
  );
});

test('a rating that does not fit changes nothing, wherever memory ends', () => {
  for (let spare = 0; spare < 100_000; spare += 1024) {
    const own = Arena.create(2 ** 22);
    const ownReclaimer = new Reclaimer(own);
    const interactions = Interactions.create(own);
    interactions.grow(2000, 2000);
    const fields = (n: number) => ({
      user: n % 40,
      item: n,
      kind: 0,
      value: n,
      weight: 1,
      seconds: 0,
      nanos: 0,
    });
    interactions.add(fields(0), ownReclaimer);
    own.allocate(own.freeBytes - spare);
    let n = 1;
    assert.throws(
      () => {
        for (; ; n++) interactions.add(fields(n), ownReclaimer);
      },
      { reason: 'MEMORY_FULL' },
    );
    const whole = Interactions.create(arena);
    whole.grow(2000, 2000);
    for (let held = 0; held < n; held++) whole.add(fields(held), reclaimer);
    assert.equal(interactions.hash(loadHostKernels(own.memory), 0n), whole.hash(kernels, 0n));
    assert.equal(interactions.find(n % 40, n), -1);
    assert.equal(interactions.count, n);
  }
});

test('the order of arrival is found among rows that were used again, few of many or not', () => {
  for (const again of [10, 2000]) {
    const own = Interactions.create(arena);
    const held = new Map<number, number>();
    own.grow(50, 1);
    for (let n = 0; n < 50 + again; n++) {
      const user = n < 50 ? n : (n * 7) % 50;
      const row = held.get(user);
      if (row !== undefined) own.remove(row, reclaimer);
      held.delete(user);
      held.set(user, own.add({ user, item: 0, kind: 0, value: 1, weight: 1, seconds: 0, nanos: 0 }, reclaimer));
    }
    assert.deepEqual([...own.inOrder()], [...held.values()]);
  }
});
