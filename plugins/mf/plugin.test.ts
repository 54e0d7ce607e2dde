import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { firstRatings, item, user } from '../../test/laws/streams.ts';
import { NO_ROW, type Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

type Settings = Parameters<typeof plugin.config.parse>[0] & object;

/* The plain form: biases, factors and their ranking; `regression.test.ts` and `sequence.test.ts` are about the others. */
const PLAIN = { base: 'biases', ranking: 'taste', normalise: 0 } as const;

/** A model of `mf`; ratings `before` are known to nobody any more, but their users and items have rows. */
function createLab(settings: Settings, before: readonly Rating[] = []): Lab {
  const forgotten = before.map((rating) => ({ ...rating, retract: true }));
  const config = plugin.config.parse({ ...PLAIN, ...settings });
  return new Lab(plugin as unknown as Plugin, config, { before: [...before, ...forgotten] });
}

/** A column of a row, to read and to write. */
function floats(lab: Lab, table: 'users' | 'items', id: string, column = 'vector'): Float32Array {
  const descriptor = lab.model.descriptor.tables[table];
  const row = table === 'users' ? lab.userRow(id) : lab.itemRow(id);
  const at = new Table(lab.arena, descriptor).column(column)(row) >>> 2;
  return lab.arena.f32.subarray(at, at + descriptor.columns[column].width);
}

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);
}

const plainMomentum = {
  k: 1,
  optimiser: 'momentum',
  eta: 0.1,
  l2: 0,
  scaled: false,
  mean: false,
  bias: { enabled: false },
};

describe('three steps by hand', () => {
  test('biases, mean and factors', () => {
    const ids = [
      { user: 'u', item: 'a', value: 3 },
      { user: 'v', item: 'b', value: 3 },
    ];
    const lab = createLab({ k: 1, eta: 0.1, l2: 0.1, replay: { count: 0 } }, ids);
    floats(lab, 'users', 'u')[0] = 1;
    floats(lab, 'users', 'v')[0] = 0.5;
    floats(lab, 'items', 'a')[0] = 1;
    floats(lab, 'items', 'b')[0] = -1;
    const bias = (table: 'users' | 'items', id: string) => floats(lab, table, id, 'bias')[0];
    const factor = (table: 'users' | 'items', id: string) => floats(lab, table, id)[0];

    // m = 3, r^ = 3 + 1, e = 1, s = 1/4 for both.
    lab.teach({ user: 'u', item: 'a', value: 5 });
    near(lab.expected, 4);
    near(bias('users', 'u'), 0.25);
    near(bias('items', 'a'), 0.25);
    near(factor('users', 'u'), 1.09);
    near(factor('items', 'a'), 1.09);

    // m = (3 + 5)/2, r^ = 4 + .25 - 1.09, e = -1.16, s = 1/5 and 1/4.
    lab.teach({ user: 'u', item: 'b', value: 2 });
    near(lab.expected, 3.16);
    near(bias('users', 'u'), 0.25 - 1.16 / 5);
    near(bias('items', 'b'), -1.16 / 4);
    near(factor('users', 'u'), 1.09 + 0.1 * (1.16 - 0.109));
    near(factor('items', 'b'), -1 + 0.1 * (-1.16 * 1.09 + 0.1));

    // m = (3 + 5 + 2)/3, r^ = 10/3 + .25 + .545, e = -.1283333, s = 1/4 and 1/5.
    lab.teach({ user: 'v', item: 'a', value: 4 });
    near(lab.expected, 10 / 3 + 0.795);
    near(bias('users', 'v'), -0.0320833);
    near(bias('items', 'a'), 0.2243333);
    near(factor('users', 'v'), 0.4810117);
    near(factor('items', 'a'), 1.0726833);
  });

  /** p = q = 1 and the rating 3, again and again. One step cannot see momentum. */
  function factorsOf(settings: Settings): number[] {
    const rating = { user: 'u', item: 'a', value: 3 };
    const lab = createLab({ ...settings, replay: { count: 0 } }, [rating]);
    const p = floats(lab, 'users', 'u');
    const q = floats(lab, 'items', 'a');
    p[0] = q[0] = 1;
    return [1, 2, 3].map(() => {
      lab.teach(rating);
      assert.equal(p[0], q[0]);
      return p[0];
    });
  }

  test('momentum, mu = .5: the last step is taken again', () => {
    // e 2, 1.56, .78823616; steps .2, .1 + .1872, .1436 + .11722648
    const expected = [1.2, 1.4872, 1.7480265];
    for (const [n, factor] of factorsOf({ ...plainMomentum, mu: 0.5 } as Settings).entries()) near(factor, expected[n]);
  });

  test('momentum, mu = -.5: the last step is taken back', () => {
    // e 2, 1.56, 1.34311616; steps .2, -.1 + .1872, -.0436 + .17288591
    const expected = [1.2, 1.2872, 1.4164859];
    for (const [n, factor] of factorsOf({ ...plainMomentum, mu: -0.5 } as Settings).entries())
      near(factor, expected[n]);
  });

  test('momentum, scaled: eta is multiplied by 1 - mu', () => {
    // e 2, 1.79, 1.3752588…: steps .1, .05 + .098450, …
    const [first, second] = factorsOf({ ...plainMomentum, scaled: true, mu: 0.5 } as Settings);
    near(first, 1.1);
    near(second, 1.1 + 0.05 + 0.05 * 1.79 * 1.1);
  });

  test('adagrad: a step is measured by all gradients of its row', () => {
    // g 2, 1.9 x 1.1 - …: with eta .1 the first step is .1 whatever the gradient.
    const [first, second] = factorsOf({ ...plainMomentum, optimiser: 'adagrad' } as Settings);
    near(first, 1.1);
    const g = (3 - 1.1 ** 2) * 1.1;
    near(second, 1.1 + (0.1 * g) / Math.sqrt(4 + g * g));
  });

  test('adam: a step is the mean gradient by its size, both corrected for their start at 0', () => {
    const [first, second] = factorsOf({ ...plainMomentum, optimiser: 'adam', beta1: 0.5, beta2: 0.75 } as Settings);
    near(first, 1.1);
    const g = (3 - 1.1 ** 2) * 1.1;
    const mean = (0.5 * 0.5 * 2 + 0.5 * g) / 0.75;
    const square = (0.75 * 0.25 * 4 + 0.25 * g * g) / (1 - 0.75 ** 2);
    near(second, 1.1 + (0.1 * mean) / Math.sqrt(square));
  });
});

describe('steps', () => {
  const biases: Settings = { k: 0, replay: { count: 0 } };

  test('weight multiplies a step', () => {
    const [once, more] = [1, 1.5].map((weight) => {
      const lab = createLab(biases).teachAll([{ user: 'u', item: 'a', value: 5, weight }]);
      return floats(lab, 'users', 'u', 'bias')[0];
    });
    near(more, 1.5 * once);
    near(once, 0.5);
  });

  test('a step of any weight does not go past the rating', () => {
    const rating = { user: 'u', item: 'a', value: 5, weight: 10 };
    const lab = createLab({ ...biases, mean: false }).teachAll([rating]);
    const expected = lab.predict('u', 'a');
    assert.ok(expected > 4.9 && expected <= 5, `${expected}`);
  });

  test('no vector gets longer than 10, and no bias larger', () => {
    const rating = { user: 'u', item: 'a', value: 5 };
    const [vectors, bare] = [5, 0].map((k) => createLab({ k, replay: { count: 0 } }, [rating]));
    floats(vectors, 'users', 'u').fill(100);
    vectors.teach(rating);
    assert.ok(Math.hypot(...floats(vectors, 'users', 'u')) < 10.001);
    floats(bare, 'items', 'a', 'bias')[0] = -100;
    bare.teach(rating);
    assert.equal(floats(bare, 'users', 'u', 'bias')[0], 10);
    assert.equal(floats(bare, 'items', 'a', 'bias')[0], -10);
  });

  test('the bias step falls with the ratings, down to its floor', () => {
    const lab = createLab({ ...biases, mean: false, bias: { userFloor: 0.2, itemFloor: 0 } });
    const steps = Array.from({ length: 4 }, (_, n) => {
      const before = n === 0 ? 0 : floats(lab, 'users', 'u', 'bias')[0];
      const error = 5 - lab.predict('u', item(n));
      lab.teach({ user: 'u', item: item(n), value: 5 });
      return (floats(lab, 'users', 'u', 'bias')[0] - before) / error;
    });
    for (const [n, expected] of [1 / 4, 1 / 5, 1 / 5, 1 / 5].entries()) near(steps[n], expected);
  });

  test('an edit is a step toward the new value, and no rating more', () => {
    const lab = createLab(biases).teachAll([
      { user: 'u', item: 'a', value: 5 },
      { user: 'u', item: 'a', value: 1 },
    ]);
    // The mean is that of 3 and 1.
    near(lab.predict('x', 'x'), 2);
    const descriptor = lab.model.descriptor.tables.users;
    assert.equal(lab.arena.u32[new Table(lab.arena, descriptor).column('ratings')(0) >>> 2], 1);
  });

  test('a normalised step is divided by 1 + c eta |other|²', () => {
    const rating = { user: 'u', item: 'a', value: 3 };
    const settings = {
      k: 1,
      eta: 0.1,
      l2: 0,
      normalise: 5,
      mean: false,
      bias: { enabled: false },
      replay: { count: 0 },
    };
    const lab = createLab(settings, [rating]);
    floats(lab, 'users', 'u')[0] = 1;
    floats(lab, 'items', 'a')[0] = 1;
    lab.teach(rating);
    near(floats(lab, 'users', 'u')[0], 1 + (0.1 * 2) / 1.5);
  });

  test('frozen items keep vectors and biases, and are counted', () => {
    const ratings = firstRatings(1, { users: 6, items: 6, events: 30 });
    const lab = createLab({ freeze: 'items', k: 5 }, ratings);
    const kept = () => [...floats(lab, 'items', item(3)), ...floats(lab, 'items', item(3), 'bias')];
    const before = kept();
    const rank = floats(lab, 'items', item(3), 'rank').slice();
    lab.teachAll(ratings);
    lab.teach({ ...ratings[0], item: item(3), user: user(3), retract: true });
    assert.deepEqual(kept(), before);
    assert.notDeepEqual(floats(lab, 'items', item(3), 'rank'), rank);
    assert.notEqual(floats(lab, 'users', user(3), 'bias')[0], 0);
  });
});

describe('replay', () => {
  test('a past rating moves the row of the event, toward that rating', () => {
    const past = { user: 'u', item: 'a', value: 5 };
    const now = { user: 'u', item: 'b', value: 3 };
    const [without, once] = [0, 1].map((count) => {
      const lab = createLab({ k: 0, mean: false, replay: { count, biasStep: 0.1 } }).teachAll([past, now]);
      return { user: floats(lab, 'users', 'u', 'bias')[0], item: floats(lab, 'items', 'a', 'bias')[0] };
    });
    near(once.user, without.user + 0.1 * (5 - without.user - without.item));
    assert.equal(once.item, without.item);
  });

  test('the rating that an edit replaces is not learned again', () => {
    const edit = [5, 1].map((value) => ({ user: 'u', item: 'a', value }));
    const [without, often] = [0, 50].map((count) => createLab({ replay: { count } }).teachAll(edit).predict('u', 'a'));
    assert.equal(often, without);
  });

  test('uniform replays name the rows that they change; local ones change none', () => {
    const ratings = firstRatings(2, { users: 6, items: 6, events: 30 });
    assert.equal(createLab({}).teachAll(ratings).touched.length, 0);
    const lab = createLab({ replay: { scope: 'uniform', count: 3 } }).teachAll(ratings);
    assert.equal(lab.touched.length, 6);
  });
});

describe('retraction', () => {
  const past = firstRatings(3, { users: 8, items: 8, events: 60 });

  for (const optimiser of ['sgd', 'momentum', 'adagrad', 'adam'] as const) {
    test(`${optimiser}: rows whose only rating is taken back are as they began`, () => {
      const rating = { user: 'new user', item: 'new item', value: 5, weight: 3 };
      const untouched = createLab({ optimiser, k: 9 }, [rating]);
      const lab = createLab({ optimiser, k: 9 }).teachAll([...past, rating, { ...rating, retract: true }]);
      for (const table of ['users', 'items'] as const) {
        const id = table === 'users' ? 'new user' : 'new item';
        for (const column of Object.keys(lab.model.descriptor.tables[table].columns)) {
          assert.deepEqual(floats(lab, table, id, column), floats(untouched, table, id, column), `${table} ${column}`);
        }
      }
    });
  }

  test('the mean forgets', () => {
    const lab = createLab({}).teachAll(past);
    const before = lab.predict('x', 'x');
    lab.teach({ user: 'u', item: 'a', value: 5, weight: 10 });
    assert.notEqual(lab.predict('x', 'x'), before);
    lab.teach({ user: 'u', item: 'a', retract: true });
    near(lab.predict('x', 'x'), before);
  });

  test('a row is learned again from no more than its latest ratings, and counts them all', () => {
    const ratings = Array.from({ length: 9 }, (_, n) => ({ user: 'u', item: item(n), value: n === 0 ? 5 : 1 }));
    const lab = createLab({ relearn: 2 }).teachAll([...ratings, { ...ratings[8], retract: true }]);
    const { users } = lab.model.descriptor.tables;
    assert.equal(lab.arena.u32[new Table(lab.arena, users).column('ratings')(lab.userRow('u')) >>> 2], 8);
    assert.ok(lab.predict('u', 'unknown') < lab.predict('x', 'unknown'));
  });
});

describe('ranking', () => {
  for (const [k, scope] of [
    [0, 'local'],
    [1, 'local'],
    [7, 'uniform'],
    [64, 'local'],
  ] as const) {
    test(`k = ${k}, ${scope} replay: <p, q> + w ln(1 + n), over more than a segment`, () => {
      const ratings = firstRatings(4, { users: 5, items: 5000, events: 6000 });
      const lab = createLab({ k, popularity: 1.5, replay: { scope } }).teachAll(ratings);
      const asker = lab.userRow(user(2));
      const scores = lab.score(asker, [3, lab.model.items]);
      const strangers = lab.score(NO_ROW, [3, lab.model.items]);
      const own = lab.predict(user(2), 'x');
      for (const [n, score] of scores.entries()) {
        const id = lab.world.items.text(n + 3);
        const popularity = 1.5 * Math.log(1 + lab.world.interactions.byItem.count(n + 3));
        assert.ok(Math.abs(strangers[n] - popularity) < 1e-4, `${id} scores ${strangers[n]}, not ${popularity}`);
        const bias = lab.predict('x', id) - lab.predict('x', 'x');
        const expected = lab.predict(user(2), id) - own - bias + popularity;
        assert.ok(Math.abs(score - expected) < 1e-4, `${id} scores ${score}, not ${expected}`);
      }
    });
  }
});

test('tables hold what the optimiser needs, and no more', () => {
  const columnsOf = (settings: Settings) =>
    Object.keys(plugin.tables(plugin.config.parse({ ...PLAIN, drift: { enabled: false }, ...settings })).users.columns);
  assert.deepEqual(columnsOf({}), ['vector', 'ratings', 'bias']);
  assert.deepEqual(columnsOf({ k: 0, optimiser: 'adam' }), ['ratings', 'bias']);
  assert.deepEqual(columnsOf({ optimiser: 'momentum' }), ['vector', 'last', 'ratings', 'bias']);
  assert.deepEqual(columnsOf({ optimiser: 'adagrad' }), ['vector', 'squares', 'ratings', 'bias']);
  assert.deepEqual(columnsOf({ optimiser: 'adam' }), ['vector', 'mean', 'squares', 'steps', 'ratings', 'bias']);
  const regression = ['coefficients', 'covariance', 'missed', 'lately', 'ratedAt', 'place'];
  assert.deepEqual(columnsOf({ base: 'bayes' }), ['vector', 'ratings', ...regression]);
  const watched = ['vector', 'ratings', 'drifts', 'before', 'stretch', 'earlier', 'bias', 'driftBlock', 'driftMet'];
  assert.deepEqual(columnsOf({ drift: {} }), watched);
  const tablesOf = (settings: Settings) => Object.keys(plugin.tables(plugin.config.parse(settings)));
  assert.deepEqual(tablesOf({}), ['users', 'items', 'model', 'drift', 'tastes', 'sequence', 'rated', 'counters']);
  assert.deepEqual(tablesOf({ ranking: 'taste', drift: { enabled: false } }), ['users', 'items', 'model']);
});
