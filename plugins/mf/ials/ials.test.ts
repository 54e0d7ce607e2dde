import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Lab, type Rating } from '../../../test/laws/lab.ts';
import { tablesOf } from '../../../test/laws/rows.ts';
import { asEvents, mixedStream } from '../../../test/laws/streams.ts';
import { NO_ROW, type Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';
import { Reference, type Side } from './reference.ts';

const ials = plugin as unknown as Plugin;
const configOf = (input: object = {}) => ials.config.parse({ objective: 'ials', k: 4, ...input });
const PLAIN = { missing: 0.3, l2: 0.01, exponent: 1 };
const SIZE = { users: 12, items: 10, events: 250 };
const taught = (ratings: Iterable<Rating>, input?: object) => new Lab(ials, configOf(input)).teachAll(ratings);

function near(actual: readonly number[], expected: readonly number[], tolerance: number, what = ''): void {
  assert.equal(actual.length, expected.length);
  for (const [n, value] of expected.entries())
    assert.ok(
      Math.abs(actual[n] - value) <= tolerance * Math.max(1, Math.abs(value)),
      `${what} ${n}: ${actual}, not ${expected}`,
    );
}

/** A row's vector, and the number of its positives. */
function rowOf(lab: Lab, side: Side, id: string): { vector: number[]; count: number } {
  const table = tablesOf(lab).find(({ name }) => name === `${side}s`);
  assert(table);
  const values = table.values(side === 'user' ? lab.userRow(id) : lab.itemRow(id));
  const k = (lab.model.descriptor.config as unknown as { k: number }).k;
  return { vector: values.slice(0, k), count: values[k] };
}

const vectorOf = (lab: Lab, side: Side, id: string) => rowOf(lab, side, id).vector;

/** All rows that have positives. */
function rowsOf(lab: Lab, side: Side): Map<string, number[]> {
  const ids = side === 'user' ? lab.world.users : lab.world.items;
  const all = Array.from({ length: ids.rows }, (_, row) => ids.text(row));
  return new Map(all.filter((id) => rowOf(lab, side, id).count > 0).map((id) => [id, vectorOf(lab, side, id)]));
}

/** S of a side as it is kept, and as it is by the rows. */
function gramsOf(lab: Lab, side: Side): { kept: number[]; made: number[]; size: number; rows: number } {
  const kept =
    tablesOf(lab)
      .find(({ name }) => name === `${side}Gram`)
      ?.values(0) ?? [];
  const rows = [...rowsOf(lab, side).values()];
  const k = (lab.model.descriptor.config as unknown as { k: number }).k;
  const made = Array.from({ length: k * k }, (_, n) =>
    rows.reduce((sum, v) => sum + v[Math.floor(n / k)] * v[n % k], 0),
  );
  return { kept: kept.slice(0, -1), made, size: kept.at(-1) ?? Number.NaN, rows: rows.length };
}

test('three steps by hand, of one factor', () => {
  const steps = [
    { user: 'a', item: 'x', value: 5 },
    { user: 'a', item: 'y', value: 1 },
    { user: 'b', item: 'x', value: 3, weight: 2 },
  ];
  const drawn = new Lab(ials, configOf({ k: 1 }), { before: steps });
  const start = (side: Side, id: string) => vectorOf(drawn, side, id)[0];
  const { missing: c, l2 } = PLAIN;
  const lab = new Lab(ials, configOf({ k: 1 }));
  // One user, one item: (q² + c q² + l2 (1 + c)) p = q, then the other way round.
  lab.teach(steps[0]);
  let x = start('item', 'x');
  let a = x / (x * x * (1 + c) + l2 * (1 + c));
  x = a / (a * a * (1 + c) + l2 * (1 + c));
  near(vectorOf(lab, 'user', 'a'), [a], 1e-6);
  near(vectorOf(lab, 'item', 'x'), [x], 1e-6);
  // One user, two items.
  lab.teach(steps[1]);
  let y = start('item', 'y');
  a = (x + y) / ((x * x + y * y) * (1 + c) + l2 * (2 + 2 * c));
  y = a / (a * a * (1 + c) + l2 * (1 + c));
  near(vectorOf(lab, 'user', 'a'), [a], 1e-6);
  near(vectorOf(lab, 'item', 'y'), [y], 1e-6);
  near(vectorOf(lab, 'item', 'x'), [x], 1e-6);
  // Two users; the second weighs twice as much, and was there neither for y nor for a.
  lab.teach(steps[2]);
  const b = (2 * x) / (2 * x * x + c * (x * x + y * y) + l2 * (1 + 2 * c));
  x = (a + 2 * b) / (a * a + 2 * b * b + c * (a * a + b * b) + l2 * (2 + 2 * c));
  near(vectorOf(lab, 'user', 'b'), [b], 1e-6);
  near(vectorOf(lab, 'item', 'x'), [x], 1e-6);
  near(vectorOf(lab, 'user', 'a'), [a], 1e-6);
});

test('a stream gives what plain arithmetic gives, pair by pair', () => {
  const stream = mixedStream(3, SIZE).filter(({ retract }) => !retract);
  const drawn = new Lab(ials, configOf(), { before: stream });
  const reference = new Reference(PLAIN);
  const lab = new Lab(ials, configOf());
  for (const { user, item, weight = 1, ...rest } of stream) {
    lab.teach({ user, item, weight, ...rest });
    if (weight === 0) continue;
    const place = reference.positives.findIndex((each) => each.user === user && each.item === item);
    if (place < 0) reference.positives.push({ user, item, weight });
    else reference.positives[place] = { user, item, weight };
    if (!reference.users.has(user)) reference.users.set(user, vectorOf(drawn, 'user', user));
    if (!reference.items.has(item)) reference.items.set(item, vectorOf(drawn, 'item', item));
    const before = reference.loss();
    reference.descend('user', user);
    reference.descend('item', item);
    assert.ok(reference.loss() <= before * (1 + 1e-12), 'a step makes the loss greater');
    near(vectorOf(lab, 'user', user), reference.users.get(user) ?? [], 1e-3, user);
    near(vectorOf(lab, 'item', item), reference.items.get(item) ?? [], 1e-3, item);
  }
  assert.ok(reference.positives.length > 50);
});

test('what a number is set to is where the loss is least', () => {
  const value = fc.double({ min: -2, max: 2, noNaN: true });
  const vector = fc.array(value, { minLength: 3, maxLength: 3 });
  const pairs = fc.uniqueArray(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 10, selector: String });
  const sides = fc.array(vector, { minLength: 4, maxLength: 4 });
  const property = fc.property(sides, sides, pairs, fc.constantFrom(0, 0.5, 1), (users, items, entries, exponent) => {
    const reference = new Reference({ missing: 0.4, l2: 0.05, exponent });
    for (const [u, i] of entries) {
      reference.positives.push({ user: `${u}`, item: `${i}`, weight: 1 + u });
      reference.users.set(`${u}`, [...users[u]]);
      reference.items.set(`${i}`, [...items[i]]);
    }
    const id = `${entries[0][0]}`;
    reference.users.set(id, reference.solve('user', id));
    const least = reference.loss();
    const solved = reference.users.get(id) ?? [];
    for (let f = 0; f < 3; f++) near([reference.best('user', id, f)], [solved[f]], 1e-6);
    for (const [f, sign] of [0, 1, 2].flatMap((f) => [1, -1].map((sign) => [f, sign]))) {
      reference.users.set(
        id,
        solved.map((x, g) => (g === f ? x + sign * 0.01 : x)),
      );
      assert.ok(reference.loss() > least);
    }
  });
  fc.assert(property, { numRuns: 50 });
});

describe('S is that of the rows', () => {
  const stream = asEvents(mixedStream(2, { ...SIZE, events: 2000 }));
  for (const k of [1, 3, 65]) {
    test(`after thousands of events, edits and retractions, k = ${k}`, async () => {
      const lab = taught(stream, { k });
      for (const side of ['user', 'item'] as const) {
        const { kept, made, size, rows } = gramsOf(lab, side);
        near(kept, made, 1e-9, side);
        assert.equal(size, rows);
      }
      for await (const _ of lab.model.refit(1));
      for (const side of ['user', 'item'] as const) {
        const { kept, made, size, rows } = gramsOf(lab, side);
        near(kept, made, 1e-12, side);
        assert.equal(size, rows);
      }
    });
  }

  test('when everything is taken back, nothing is left', () => {
    const ratings = mixedStream(4, { ...SIZE, events: 40 }).filter(({ retract }) => !retract);
    const drawn = new Lab(ials, configOf(), { before: ratings });
    const lab = taught([...ratings, ...ratings.map((rating) => ({ ...rating, retract: true }))]);
    for (const side of ['user', 'item'] as const) {
      const { kept, size } = gramsOf(lab, side);
      near(
        kept,
        kept.map(() => 0),
        1e-12,
      );
      assert.equal(size, 0);
      const ids = ratings.map((rating) => rating[side]);
      for (const id of ids) assert.deepEqual(rowOf(lab, side, id), rowOf(drawn, side, id));
    }
  });
});

describe('a refit', () => {
  const stream = mixedStream(5, SIZE);

  test('never makes the loss greater, from sweep to sweep', async () => {
    const losses: number[] = [];
    for (const epochs of [0, 1, 2, 3, 5, 10]) {
      const lab = taught(stream, { refit: { epochs } });
      for await (const _ of lab.model.refit(1));
      losses.push(referenceOf(lab).loss());
    }
    for (const [n, loss] of losses.entries())
      assert.ok(n === 0 || loss <= losses[n - 1] * (1 + 1e-6), `losses are ${losses}`);
    assert.ok(losses[5] < 0.99 * losses[0], `losses are ${losses}`);
  });

  test('leaves items that are solved by its users', async () => {
    const lab = taught(stream);
    for await (const _ of lab.model.refit(1));
    const reference = referenceOf(lab);
    for (const [id, vector] of reference.items) near(vector, reference.solve('item', id), 1e-4, id);
  });
});

test('after a retraction both rows are solved from what remains', () => {
  const stream = mixedStream(6, SIZE).filter(({ retract }) => !retract);
  const last = { user: 'user-1', item: 'item-1', value: 4, time: stream.at(-1)?.time };
  const lab = taught([...stream, last, { ...last, retract: true }]);
  const reference = referenceOf(lab);
  near(vectorOf(lab, 'item', 'item-1'), reference.solve('item', 'item-1'), 1e-4);
  // The user was solved before the item moved.
  const before = taught([...stream, last]);
  reference.items.set('item-1', vectorOf(before, 'item', 'item-1'));
  near(vectorOf(lab, 'user', 'user-1'), reference.solve('user', 'user-1'), 1e-4);
});

test('of a long history the latest stand for all', () => {
  const ratings = Array.from({ length: 6 }, (_, n) => ({ user: 'a', item: `${n}`, value: 3, time: n }));
  const lab = new Lab(ials, configOf({ k: 1, ials: { history: 2 } })).teachAll(ratings.slice(0, 5));
  const items = ratings.slice(0, 5).map(({ item }) => vectorOf(lab, 'item', item)[0]);
  const drawn = new Lab(ials, configOf({ k: 1 }), { before: ratings });
  const next = vectorOf(drawn, 'item', '5')[0];
  lab.teach(ratings[5]);
  const { missing: c, l2 } = PLAIN;
  const square = (values: number[]) => values.reduce((sum, x) => sum + x * x, 0);
  const expected =
    (3 * (items[4] + next)) / (3 * square([items[4], next]) + c * square([...items, next]) + l2 * (6 + 6 * c));
  near(vectorOf(lab, 'user', 'a'), [expected], 1e-5);
});

describe('ranking', () => {
  test('is by the vector that the latest positives give, each later one counting more', () => {
    const ratings = ['x', 'y', 'z'].map((item, n) => ({ user: 'a', item, value: 4, time: n }));
    const more = ['x', 'y', 'z', 'v'].flatMap((item, n) => [{ user: `b${n % 2}`, item, value: 2, time: 10 + n }]);
    const input = { ials: { decay: 0.5, window: 2 } };
    const lab = taught([...ratings, ...more], input);
    const reference = referenceOf(lab);
    const pull = reference.pull('user', 'a');
    reference.positives.splice(
      0,
      Number.POSITIVE_INFINITY,
      { user: 'a', item: 'z', weight: 1 },
      { user: 'a', item: 'y', weight: 0.5 },
    );
    reference.pull = () => pull;
    const p = reference.solve('user', 'a');
    const scores = lab.score(lab.userRow('a'), [0, lab.model.items]);
    for (const item of ['x', 'y', 'z', 'v']) {
      const q = vectorOf(lab, 'item', item);
      near([scores[lab.itemRow(item)]], [p.reduce((sum, value, f) => sum + value * q[f], 0)], 1e-5);
    }
  });

  test('ratings and other events are one list', () => {
    const lab = taught([{ user: 'b', item: 'x', value: 4 }], { ials: { window: 1 } });
    const latest = (event: Rating) => {
      lab.teach(event);
      return lab.explain(lab.userRow('a'), lab.itemRow('x')).map((part) => ('term' in part ? part.term : part.item));
    };
    assert.deepEqual(latest({ user: 'a', item: 'x', value: 4 }), [lab.itemRow('x')]);
    assert.deepEqual(latest({ user: 'a', item: 'y', kind: 'click' }), ['events']);
    assert.deepEqual(latest({ user: 'a', item: 'z', value: 2 }), [lab.itemRow('z')]);
  });

  test('who did nothing sees what is popular; what nobody chose scores 0', () => {
    const lab = taught([
      { user: 'a', item: 'x', value: 4 },
      { user: 'b', item: 'x', value: 4 },
      { user: 'a', item: 'y', value: 4 },
      { user: 'a', item: 'z', value: 4 },
      { user: 'a', item: 'z', retract: true },
    ]);
    const all = [0, lab.model.items];
    near([...lab.score(NO_ROW, all)], [Math.log(3), Math.log(2), 0], 1e-6);
    assert.equal(lab.score(lab.userRow('a'), all)[lab.itemRow('z')], 0);
  });
});

test('exposures, and with a threshold lower ratings, are no positives', () => {
  const lab = taught(
    [
      { user: 'a', item: 'x', value: 3 },
      { user: 'a', item: 'y', value: 4 },
      { user: 'a', item: 'y', value: 2 },
      { user: 'b', item: 'x', value: 5 },
    ],
    { feedback: { threshold: 3.5 } },
  );
  assert.deepEqual(
    [rowOf(lab, 'user', 'a').count, rowOf(lab, 'user', 'b').count, rowOf(lab, 'item', 'y').count],
    [0, 1, 0],
  );
});

test('k is bounded by what a row of a table holds', () => {
  for (const k of [0, 129]) {
    const { error } = ials.config.safeParse({ objective: 'ials', k });
    assert.match(String(error?.message), /has to be from 1 to 128 with the objective ials/);
  }
  assert.equal(taught([{ user: 'a', item: 'x', value: 1 }], { k: 128 }).model.items, 1);
});

/** The live ratings of a lab, with its vectors. */
function referenceOf(lab: Lab): Reference {
  const { ials: config } = lab.model.descriptor.config as unknown as { ials: typeof PLAIN };
  const reference = new Reference(config);
  for (const [id, vector] of rowsOf(lab, 'user')) reference.users.set(id, vector);
  for (const [id, vector] of rowsOf(lab, 'item')) reference.items.set(id, vector);
  const fields = { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };
  const { interactions, users, items } = lab.world;
  for (let row = 0; row < interactions.rows; row++) {
    if (interactions.serial(row) === 0) continue;
    interactions.read(row, fields);
    if (fields.weight > 0)
      reference.positives.push({ user: users.text(fields.user), item: items.text(fields.item), weight: fields.weight });
  }
  return reference;
}
