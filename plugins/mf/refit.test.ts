import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { differences } from '../../test/laws/rows.ts';
import { firstRatings, item, user } from '../../test/laws/streams.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

interface Settings {
  readonly [setting: string]: unknown;
  readonly refit?: object;
}
type Side = 'users' | 'items';

const RATINGS = firstRatings(6, { users: 20, items: 20, events: 300 });

const PLAIN = { base: 'biases', ranking: 'taste', normalise: 0 } as const;

/** A model of the plain form that goes on from its vectors, unless `settings` say otherwise, and that has learned nothing of the live ratings. */
function createLab(settings: Settings, ratings: readonly Rating[] = RATINGS): Lab {
  const config = plugin.config.parse({ ...PLAIN, ...settings, refit: { keep: 1, ...settings.refit } });
  return new Lab(plugin as unknown as Plugin, config, { before: ratings });
}

async function refit(lab: Lab, seed = 1): Promise<Lab> {
  for await (const _ of lab.model.refit(seed));
  return lab;
}

/** A column of a row, to read and to write. */
function column(lab: Lab, table: Side | 'model', id: string, name: string): Float32Array | Float64Array | Uint32Array {
  const descriptor = lab.model.descriptor.tables[table];
  const row = { users: lab.userRow(id), items: lab.itemRow(id), model: 0 }[table];
  const { type, width } = descriptor.columns[name];
  const at = new Table(lab.arena, descriptor).column(name)(row) >>> (type === 'f64' ? 3 : 2);
  return { f32: lab.arena.f32, f64: lab.arena.f64, u32: lab.arena.u32 }[type].subarray(at, at + width);
}

function near(actual: number, expected: number, what = ''): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${what}: ${actual} is not ${expected}`);
}

describe('two steps by hand', () => {
  const ratings = [
    { user: 'u', item: 'a', value: 5 },
    { user: 'u', item: 'b', value: 2 },
  ];

  async function refitted(seed: number): Promise<Lab> {
    const lab = createLab({ k: 1, refit: { epochs: 1, eta: 0.1, l2: 0.1 } }, ratings);
    column(lab, 'users', 'u', 'vector')[0] = 1;
    column(lab, 'items', 'a', 'vector')[0] = 1;
    column(lab, 'items', 'b', 'vector')[0] = -1;
    return refit(lab, seed);
  }

  function check(lab: Lab, expected: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(expected)) {
      const [id, part] = name.split(' ');
      near(column(lab, id === 'u' ? 'users' : 'items', id, part)[0], value, name);
    }
  }

  test('a, then b', async () => {
    // m = 3 + (2 - 1)/(1 + 2). e = 5 - m - 1 = .6666667, then 2 - m - .0666667 + 1.0566667 = -.3433333.
    check(await refitted(0), {
      'a bias': 0.0666667,
      'a vector': 1.0566667,
      'b bias': -0.0343333,
      'b vector': -1 + 0.1 * (-0.3433333 * 1.0566667 + 0.1),
      'u bias': 0.0666667 + 0.1 * (-0.3433333 - 0.0066667),
      'u vector': 1.0566667 + 0.1 * (0.3433333 - 0.1056667),
    });
  });

  test('b, then a', async () => {
    // e = 2 - m + 1 = -.3333333, then 5 - m + .0333333 - 1.0233333 = .6766667.
    check(await refitted(1), {
      'b bias': -0.0333333,
      'b vector': -1.0233333,
      'a bias': 0.0676667,
      'a vector': 1 + 0.1 * (0.6766667 * 1.0233333 - 0.1),
      'u bias': -0.0333333 + 0.1 * (0.6766667 + 0.0033333),
      'u vector': 1.0233333 + 0.1 * (0.6766667 - 0.1023333),
    });
  });

  test('counts, mean, rank and likeness are those of the live ratings', async () => {
    const lab = await refitted(0);
    assert.deepEqual(Array.from(column(lab, 'model', '', 'sum')), [1]);
    assert.deepEqual(Array.from(column(lab, 'model', '', 'weight')), [2]);
    assert.equal(column(lab, 'users', 'u', 'ratings')[0], 2);
    assert.equal(column(lab, 'items', 'a', 'ratings')[0], 1);
    near(column(lab, 'items', 'a', 'rank')[0], 2 * Math.log(2));
    near(column(lab, 'items', 'a', 'likeness')[0], 1 / 21 / 1.0566667);
  });
});

describe('a step', () => {
  const one = (settings: Settings, rating: Rating) => refit(createLab({ ...settings, mean: false }, [rating]));
  const rating = { user: 'u', item: 'a', value: 5 };

  test('is as long as the weight says, and never past the rating', async () => {
    const settings = { k: 0, refit: { epochs: 1, eta: 0.1, l2: 0 } };
    for (const [weight, bias] of [
      [0, 0],
      [0.5, 0.25],
      [1, 0.5],
      [10, 2.5],
    ])
      near(column(await one(settings, { ...rating, weight }), 'users', 'u', 'bias')[0], bias, `weight ${weight}`);
  });

  test('moves no bias where there are none', async () => {
    const lab = await one({ k: 2, bias: { enabled: false }, refit: { epochs: 100, eta: 0.1 } }, rating);
    assert.equal(column(lab, 'users', 'u', 'bias')[0], 0);
    assert.ok(lab.predict('u', 'a') > 4, `${lab.predict('u', 'a')}`);
  });

  test('leaves no vector longer than 10, and no bias larger', async () => {
    const settings = { k: 2, refit: { epochs: 1, eta: 0.01, l2: 0 } };
    const lab = createLab(settings, [rating]);
    column(lab, 'users', 'u', 'vector').fill(100);
    column(lab, 'users', 'u', 'bias')[0] = -1000;
    column(lab, 'items', 'a', 'vector').fill(-0.01);
    await refit(lab);
    near(Math.hypot(...column(lab, 'users', 'u', 'vector')), 10);
    assert.ok(Math.hypot(...column(lab, 'items', 'a', 'vector')) <= 10.00001);
    assert.equal(column(lab, 'users', 'u', 'bias')[0], -10);
  });

  test('teaches items that are frozen online', async () => {
    const lab = createLab({ freeze: 'items' });
    const before = column(lab, 'items', item(3), 'vector').slice();
    await refit(lab);
    assert.notDeepEqual(column(lab, 'items', item(3), 'vector'), before);
  });
});

test('every epoch visits each rating once, in an order of its own', async () => {
  // One rating a pair of rows of its own, so that a bias tells how often it was learned.
  const ratings = Array.from({ length: 40 }, (_, n) => ({ user: user(n), item: item(n), value: 5 }));
  const settings = { k: 0, mean: false, refit: { epochs: 3, eta: 0.1, l2: 0 } };
  const lab = await refit(createLab(settings, ratings));
  // e = 5, then 5 - 2 .5, then 5 - 2 .9.
  for (const rating of ratings) near(column(lab, 'users', rating.user, 'bias')[0], 0.5 + 0.4 + 0.32, rating.user);
  const learned = async (seed: number) => column(await refit(createLab({}), seed), 'users', user(1), 'vector');
  assert.notDeepEqual(await learned(1), await learned(2));
});

test('what was taken back is nothing to a refit', async () => {
  const others = Array.from({ length: 30 }, (_, n) => ({ user: user(n % 20), item: item((n * 7 + 3) % 20), value: 1 }));
  const known = new Set(RATINGS.map((rating) => `${rating.user} ${rating.item}`));
  const extra = others.filter((rating) => !known.has(`${rating.user} ${rating.item}`));
  assert.ok(extra.length > 3);
  const gone = extra.map((rating) => ({ ...rating, retract: true }));
  const [never, undone] = await Promise.all([
    refit(createLab({})),
    refit(createLab({}, [...RATINGS, ...extra, ...gone])),
  ]);
  assert.deepEqual(differences(never, undone), []);
});

test('vectors begin as a part of what they were', async () => {
  const lab = await refit(createLab({ refit: { epochs: 1, eta: 0, keep: 0.5 } }));
  for (const id of [user(1), user(2)]) {
    const drawn = column(createLab({}), 'users', id, 'vector');
    for (const [f, value] of column(lab, 'users', id, 'vector').entries()) near(value, 0.5 * drawn[f], `${id} ${f}`);
  }
});

test('without epochs vectors stay, and what follows from the ratings is made anew', async () => {
  const lab = createLab({ refit: { epochs: 0 } });
  const before = column(lab, 'users', user(1), 'vector').slice();
  await refit(lab);
  assert.deepEqual(column(lab, 'users', user(1), 'vector'), before);
  assert.equal(column(lab, 'users', user(1), 'ratings')[0], lab.world.interactions.byUser.count(lab.userRow(user(1))));
});

for (const [optimiser, kept, voided] of [
  ['momentum', [], ['last']],
  ['adagrad', ['squares'], []],
  ['adam', ['squares', 'steps'], ['mean']],
] as const) {
  test(`${optimiser}: the direction of past steps is void, their size is not`, async () => {
    const lab = createLab({ optimiser, mu: 0.5 }, []).teachAll(RATINGS);
    const before = kept.map((name) => column(lab, 'items', item(3), name).slice());
    await refit(lab);
    const after = kept.map((name) => column(lab, 'items', item(3), name).slice());
    assert.deepEqual(after, before);
    for (const name of voided) {
      for (const [table, id] of [
        ['users', user(2)],
        ['items', item(3)],
      ] as const)
        assert.ok(
          column(lab, table, id, name).every((value) => value === 0),
          `${table} ${name}`,
        );
    }
  });
}

test('one that is left off half way leaves likenesses that fit the vectors', async () => {
  const lab = createLab({ k: 9, refit: { epochs: 1000, eta: 0.05 } });
  for await (const share of lab.model.refit(1)) if (share > 0.2) break;
  const vector = column(lab, 'items', item(3), 'vector');
  const count = lab.world.interactions.byItem.count(lab.itemRow(item(3)));
  near(column(lab, 'items', item(3), 'likeness')[0], count / (count + 20) / Math.hypot(...vector));
});
