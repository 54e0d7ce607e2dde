import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { NO_ROW, type Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';
import { SLOTS } from './tables.ts';

function createLab(ratings: readonly Rating[] = [], input: object = {}): Lab {
  return new Lab(plugin as unknown as Plugin, plugin.config.parse(input)).teachAll(ratings);
}

function near(actual: number | undefined, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < tolerance, `${actual} is not ${expected}`);
}

/** The partners of an item, with the counts of their pairs. */
function partnersOf(lab: Lab, item: string): Record<string, number> {
  const { items, pairs } = lab.model.descriptor.tables;
  const [itemTable, pairTable] = [new Table(lab.arena, items), new Table(lab.arena, pairs)];
  const { u32, f32 } = lab.arena;
  const row = lab.itemRow(item);
  const found: [string, number][] = [];
  for (let set = 0; set < u32[itemTable.column('sets')(row) >>> 2]; set++) {
    const page = u32[(itemTable.column('pages')(row) >>> 2) + Math.floor(set / SLOTS)];
    const at = SLOTS * page + (set % SLOTS);
    for (let slot = 0; slot < SLOTS; slot++) {
      const key = u32[(pairTable.column('key')(at) >>> 2) + slot];
      if (key > 0) found.push([lab.world.items.text(key - 1), f32[(pairTable.column('sums')(at) >>> 2) + 4 * slot]]);
    }
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What an item leads to. */
function leadsOf(lab: Lab, item: string): Record<string, number> {
  const table = new Table(lab.arena, lab.model.descriptor.tables.transitions);
  const { u32, f32 } = lab.arena;
  const row = lab.itemRow(item);
  const scale = f32[table.column('scale')(row) >>> 2] || 1;
  const entries = Array.from({ length: u32[table.column('length')(row) >>> 2] }, (_, n): [string, number] => [
    lab.world.items.text(u32[(table.column('to')(row) >>> 2) + n]),
    f32[(table.column('weight')(row) >>> 2) + n] / scale,
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sameNumbers(actual: Record<string, number>, expected: Record<string, number>): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) near(actual[name], value);
}

describe('three ratings by hand', () => {
  const lab = createLab();
  const discount = (ratings: number) => (ratings + 5) ** -0.3;

  test('the first: biases of its user and item', () => {
    near(lab.predict('ann', 'tea'), 3.5);
    lab.teach({ user: 'ann', item: 'tea', value: 5 });
    // The residual is 1.5; each bias takes a quarter, and the mean an eleventh.
    near(lab.predict('nobody', 'nothing'), 3.5 + 1.5 / 11);
    near(lab.predict('ann', 'nothing'), 3.5 + 1.5 / 11 + 0.375);
    near(lab.predict('nobody', 'tea'), 3.5 + 1.5 / 11 + 0.375);
    assert.deepEqual(partnersOf(lab, 'tea'), {});
  });

  test('the second: a pair, and what follows what', () => {
    lab.teach({ user: 'ann', item: 'cake', value: 5 });
    // mean 3.636364, bias of ann .375: 5 - 4.011364 is left of cake, 5 - 4.386364 of tea: both more than expected.
    const e = 0.988636;
    sameNumbers(partnersOf(lab, 'cake'), { tea: 1 });
    assert.deepEqual(partnersOf(lab, 'tea'), {});
    near(lab.predict('ann', 'nothing'), 3.5 + 3 / 12 + 0.375 + e / 5);
    // For bob nothing is known but the mean and the item.
    near(lab.predict('bob', 'cake'), 3.75 + e / 4);
    // ann's own tea says: correlation 1 of 1 pair, w = (1/81)^2; its residual now is 5 - 3.75 - .572727 - .375.
    const w = 81 ** -2;
    near(lab.predict('ann', 'cake'), 3.75 + 0.572727 + e / 4 + (w * 0.302273) / (0.1 + w));
    sameNumbers(leadsOf(lab, 'tea'), { cake: 1 });
    sameNumbers(leadsOf(lab, 'cake'), { tea: 0.5 });
  });

  test('the third: someone else is ranked for by it', () => {
    lab.teach({ user: 'bob', item: 'tea', value: 4 });
    // What tea leads to fades as it is rated.
    sameNumbers(leadsOf(lab, 'tea'), { cake: 0.99 });
    const spans = [lab.itemRow('cake'), lab.itemRow('cake') + 1];
    near(lab.score(lab.userRow('bob'), spans)[0], discount(2) * 0.99 * discount(1));
    near(lab.head('fast', lab.userRow('bob'), spans)[0], discount(2) * 0.9 * discount(1));
    near(lab.session([lab.itemRow('tea')], spans)[0], discount(2) * 0.99 * discount(1));
    assert.equal(lab.score(NO_ROW, spans)[0], 0);
    const [{ value, ...what }, ...more] = lab.explain(lab.userRow('bob'), lab.itemRow('cake'));
    assert.deepEqual([what, more], [{ item: lab.itemRow('tea') }, []]);
    near(value, discount(2) * 0.99 * discount(1));
    // Met once, of 2 and 1 ratings; what is sure of their agreement is 1/81.
    near(lab.similar(lab.itemRow('tea'), spans)[0], (1 + 1 / 81) / Math.sqrt(22 * 21));
  });
});

describe('what is taken back', () => {
  const rate = (user: string, items: string, value = 4): Rating[] =>
    Array.from(items, (item, n) => ({ user, item, value: n % 2 === 0 ? value : 2 }));
  const takeBack = (user: string, items: string): Rating[] =>
    Array.from(items, (item) => ({ user, item, retract: true }));
  /** Nothing fades, and it does not matter how long ago an item was rated. */
  const plain = { transitions: { keep: 1, exponent: 0 } };
  const others = [...rate('ann', 'abcdef'), ...rate('bob', 'fedabc', 5)];

  function sameCounts(undone: Lab, never: Lab): void {
    for (const item of 'abcdef') {
      sameNumbers(partnersOf(undone, item), partnersOf(never, item));
      sameNumbers(leadsOf(undone, item), leadsOf(never, item));
      const [one, other] = [undone, never].map((lab) => lab.score(lab.userRow('bob'), [0, 6]));
      for (const [n, score] of one.entries()) near(score, other[n]);
    }
  }

  test('of pairs and of what follows what, the counts are as if a user had never been', () => {
    const never = createLab(others, plain);
    for (const order of ['bdface', 'ecafdb', 'abcdef']) {
      sameCounts(createLab([...others, ...rate('eve', 'bdface'), ...takeBack('eve', order)], plain), never);
      // In the middle of the stream, too.
      const [first, second] = [others.slice(0, 6), others.slice(6)];
      const ratings = [...first, ...rate('eve', 'bdface'), ...second, ...takeBack('eve', order)];
      sameCounts(createLab(ratings, plain), never);
    }
  });

  test('one of many ratings leaves the counts of the others', () => {
    const never = createLab([...others, ...rate('eve', 'bdce')], plain);
    sameCounts(createLab([...others, ...rate('eve', 'bdfce'), ...takeBack('eve', 'f')], plain), never);
  });

  test('of what follows what, no more goes than what it has faded to', () => {
    // Each of these makes both rows fade twice: as it is rated, and as the next one is or as it was the one before.
    const later = Array.from({ length: 10 }, (_, n) => rate(`${n}`, 'ab')).flat();
    const never = createLab(later);
    const undone = createLab([...rate('eve', 'ab'), ...later, ...takeBack('eve', 'b')]);
    near(leadsOf(undone, 'a').b, leadsOf(never, 'a').b);
    near(leadsOf(createLab([...rate('eve', 'ab'), ...later]), 'a').b - leadsOf(never, 'a').b, 0.99 ** 20);
  });

  test('an edit leaves counts as they are, and one of the weight reweighs them', () => {
    const edited = createLab([...others, { user: 'bob', item: 'd', value: 1 }], plain);
    sameCounts(edited, createLab(others, plain));
    const heavier = createLab([...others, { user: 'bob', item: 'd', value: 1, weight: 3 }], plain);
    near(partnersOf(heavier, 'd').f, 3);
    near(partnersOf(heavier, 'a').d, partnersOf(createLab(others, plain), 'a').d);
    near(leadsOf(heavier, 'e').d - leadsOf(edited, 'e').d, 2);
    const gone = createLab(
      [...others, { user: 'bob', item: 'd', value: 1, weight: 3 }, ...takeBack('bob', 'd')],
      plain,
    );
    sameCounts(gone, createLab([...rate('ann', 'abcdef'), ...rate('bob', 'feabc', 5)], plain));
  });

  test('all of it: nothing is left but the first values', () => {
    const lab = createLab([...others, ...takeBack('ann', 'abcdef'), ...takeBack('bob', 'abcdef')]);
    near(lab.predict('ann', 'a'), 3.5, 1e-9);
    for (const item of 'abcdef') assert.deepEqual([partnersOf(lab, item), leadsOf(lab, item)], [{}, {}]);
  });
});

test('rows of pairs are as long as ratings ask for', () => {
  const ratings = Array.from({ length: 12 }, (_, user) =>
    Array.from({ length: 5 }, (_, n) => ({ user: `user-${user}`, item: n === 4 ? 'often' : `${user} ${n}`, value: 3 })),
  ).flat();
  const lab = createLab(ratings);
  const items = new Table(lab.arena, lab.model.descriptor.tables.items);
  const sets = (item: string) => lab.arena.u32[items.column('sets')(lab.itemRow(item)) >>> 2];
  assert.deepEqual([sets('0 0'), sets('0 1'), sets('often')], [0, 8, 64]);
  assert.equal(Object.keys(partnersOf(lab, 'often')).length, 48);
});

test('without a history biases alone predict', () => {
  const ratings = Array.from({ length: 40 }, (_, n) => ({ user: `${n % 7}`, item: `${n % 5}`, value: 1 + (n % 5) }));
  const lab = createLab(ratings, { neighbours: { history: 0 } });
  for (const item of ['0', '1', '4']) assert.deepEqual(partnersOf(lab, item), {});
});
