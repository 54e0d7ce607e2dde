import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Rating } from '../../test/laws/lab.ts';
import { checkerboard, firstRatings, item, user } from '../../test/laws/streams.ts';
import { column, createLab, near, refit, type Settings } from '../../test/support/ncf-lab.ts';
import { NO_ROW } from '../contract/index.ts';
import plugin from './plugin.ts';

/** Numbers of a column are `first`, and 0 after those. */
function set(
  lab: ReturnType<typeof createLab>,
  table: 'users' | 'items' | 'model',
  id: string,
  name: string,
  first: Record<number, number>,
) {
  const numbers = column(lab, table, id, name).fill(0);
  for (const [n, value] of Object.entries(first)) numbers[Number(n)] = value;
}

test('three steps by hand', () => {
  const settings = {
    gmf: { k: 4 },
    tower: { k: 4, layers: 1, rank: 1 },
    online: { eta: 0.1, l2: 0, normalise: 0, sharedEta: 0.1, sharedL2: 0 },
    replay: { count: 0 },
    gate: { fixed: 1 },
  };
  const ids = [
    { user: 'u', item: 'a', value: 3 },
    { user: 'v', item: 'b', value: 3 },
  ];
  const lab = createLab(settings, [], ids);
  // Of each part there is one number: p, s; q, t; y = max(0, s + t + A (B_0 s + B_1 t)); h = (1 + v) p q + n y.
  set(lab, 'users', 'u', 'vector', { 0: 1, 4: 1 });
  set(lab, 'users', 'v', 'vector', { 0: 0.5, 4: 0.5 });
  set(lab, 'items', 'a', 'vector', { 0: 1, 4: 0.5 });
  set(lab, 'items', 'b', 'vector', { 0: -1, 4: 1 });
  set(lab, 'model', '', 'started', { 0: 1 });
  set(lab, 'model', '', 'products', {});
  set(lab, 'model', '', 'numbers', { 0: 0.5 });
  set(lab, 'model', '', 'w0', { 0: 1, 16: 1 });
  set(lab, 'model', '', 'b0', {});
  set(lab, 'model', '', 'up0', {});
  set(lab, 'model', '', 'down0', { 0: 1 });
  const vector = (table: 'users' | 'items', id: string) => {
    const numbers = column(lab, table, id, 'vector');
    return [numbers[0], numbers[4], column(lab, table, id, 'bias')[0]];
  };
  const shared = () => {
    const down = column(lab, 'model', '', 'down0');
    return [...['products', 'numbers', 'up0'].map((name) => column(lab, 'model', '', name)[0]), down[0], down[4]];
  };
  const check = (actual: readonly number[], expected: readonly number[]) => {
    for (const [n, value] of actual.entries()) near(value, expected[n], `number ${n} of ${actual}`);
  };

  // m = 3, y = 1.5, h = 1.75, e = .25. By p 1, s .5, q 1, t .5, v 1, n 1.5, A .5, B 0: .6 of the error, with a rate of .1.
  lab.teach({ user: 'u', item: 'a', value: 5 });
  near(lab.expected, 4.75);
  check(vector('users', 'u'), [1.025, 1.0125, 0.5]);
  check(vector('items', 'a'), [1.025, 0.5125, 0.5]);
  check(shared(), [0.025, 0.5375, 0.0125, 1, 0]);

  // m = 4, y = 2.02515625, h = -1.050625 + .5375 y, missed -2.5, e = -2.5378965. By s and t: n + B A n.
  lab.teach({ user: 'u', item: 'b', value: 2 });
  near(lab.expected, 4.5 + 0.0378965);
  check(vector('users', 'u'), [1.025 - 0.25378965 * -1.025, 1.0125 - 0.25378965 * (0.5375 + 0.5375 * 0.0125), 0]);
  check(vector('items', 'b'), [-1 - 0.25378965 * 1.050625, 1 - 0.25378965 * 0.5375, -0.625]);
  check(shared(), [0.2851344, 0.5375 - 0.25378965 * 2.02515625, -0.1256171, 0.9982735, -0.0017051]);

  // m = 11/3, h = 1.2851344 .5 1.025 + .0235363 y = .6809887, missed 1/6, e = -.5143221: the whole way, by another user.
  lab.teach({ user: 'v', item: 'a', value: 4 });
  near(lab.expected, 4.5143221);
  check(vector('users', 'v'), [0.4322503, 0.4989413, 0.0416667]);
  check(vector('items', 'a'), [0.9919514, 0.5112892, 0.5333333]);
  check(shared(), [0.2587754, -0.0253196, -0.1262202, 0.9983496, -0.0016272]);
});

test('a rating that weighs much takes away no more than the whole error, to first order', () => {
  const settings = { gate: { fixed: 1 }, replay: { count: 0 }, online: { eta: 1, l2: 0, normalise: 0 } };
  const rating = { user: 'u', item: 'a', value: 5, weight: 10 };
  const lab = createLab(settings, [], [rating]);
  set(lab, 'users', 'u', 'vector', { 0: 2, 1: 1 });
  set(lab, 'items', 'a', 'vector', { 0: -1, 1: 2 });
  lab.teach(rating);
  // e = 2, and the gradients' squares add up to 10 (and .002 of what is shared): a tenth of the error for each.
  near(column(lab, 'users', 'u', 'vector')[0], 2 - 0.2, '', 1e-3);
  near(column(lab, 'items', 'a', 'vector')[0], -1 + 0.4, '', 1e-3);
});

describe('the gate', () => {
  const stream: Rating[] = [
    ...checkerboard(20).shown.map((rating, n) => ({ ...rating, weight: 1 + (n % 3) / 2 })),
    ...checkerboard(20).shown.slice(0, 20),
  ];
  const settings = { online: { eta: 0.3 }, gmf: { k: 4 } };

  test('is the least squares of what the biases missed on what the network said, by the smaller count', () => {
    const gate = { prior: 2, forgetting: 0.95 };
    // All have rows from the start.
    const [learned, closed, open] = [gate, { ...gate, fixed: 0 }, { ...gate, fixed: 1 }].map((each) =>
      createLab({ ...settings, gate: each }, [], stream.slice(0, -20)),
    );
    // The first of all gives the tower its first values.
    for (const lab of [learned, closed, open]) lab.teach({ user: 'x', item: 'y', value: 3 });
    const [hits, squares] = ['hits', 'squares'].map((name) => Float64Array.from(column(learned, 'model', '', name)));
    const counts = new Map<string, number>();
    const rated = new Set<string>();
    for (const rating of stream) {
      const [expected, alone, together] = [learned, closed, open].map((lab) => lab.predict(rating.user, rating.item));
      for (const lab of [learned, closed, open]) lab.teach(rating);
      const pair = `${rating.user} ${rating.item}`;
      const isFirst = !rated.has(pair);
      rated.add(pair);
      if (!isFirst) continue;
      const [ofUser, ofItem] = [rating.user, rating.item].map((id) => counts.get(id) ?? 0);
      const bucket = Math.floor(Math.log2(1 + Math.min(ofUser, ofItem)));
      const said = together - alone;
      const openness = Math.min(1, Math.max(0, hits[bucket] / (squares[bucket] + 2)));
      near(expected, alone + openness * said, pair, 1e-5);
      const { value = 0, weight = 1 } = rating;
      hits[bucket] = 0.95 * hits[bucket] + weight * said * (value - alone);
      squares[bucket] = 0.95 * squares[bucket] + weight * said * said;
      for (const id of [rating.user, rating.item]) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    assert.ok(hits.some((each) => each > 0));
    for (const [n, each] of column(learned, 'model', '', 'hits').entries()) near(each, hits[n], `bucket ${n}`, 1e-4);
  });

  test('begins closed', () => {
    const lab = createLab({ ...settings, gate: { prior: 1 } }, [], stream);
    set(lab, 'users', user(1), 'vector', { 0: 9 });
    set(lab, 'items', item(1), 'vector', { 0: 9 });
    assert.equal(lab.predict(user(1), item(1)), 3);
  });

  test('shuts out a network that is of no use', () => {
    // Everybody's rating is a draw: there is nothing to learn but the mean.
    const lab = createLab({ gmf: { k: 64 }, online: { eta: 1, l2: 0, normalise: 0 } });
    lab.teachAll(firstRatings(13, { users: 40, items: 40, events: 2000 }));
    const shares = column(lab, 'model', '', 'hits').map(
      (each, n) => each / (column(lab, 'model', '', 'squares')[n] + 1),
    );
    for (const share of shares) assert.ok(share < 0.3, `${[...shares]}`);
  });
});

test('biases learn as if there were no network', () => {
  const stream = firstRatings(14, { users: 9, items: 9, events: 60 });
  const biases = (settings: Settings) => {
    const lab = createLab(settings).teachAll(stream);
    return [1, 2, 3].flatMap((n) => [
      column(lab, 'users', user(n), 'bias')[0],
      column(lab, 'items', item(n), 'bias')[0],
    ]);
  };
  assert.deepEqual(biases({}), biases({ online: { eta: 1 }, gmf: { k: 4 }, gate: { fixed: 1 }, replay: { count: 9 } }));
});

describe('replay', () => {
  const still = { eta: 0, l2: 0, sharedEta: 0, sharedL2: 0 };
  const past = firstRatings(15, { users: 8, items: 8, events: 100 });
  const vectorOf = (lab: ReturnType<typeof createLab>) => column(lab, 'users', user(1), 'vector').slice();

  test('a past rating moves the row of the event, toward that rating', () => {
    const lab = createLab({ online: still, gate: { fixed: 1 }, replay: { count: 1, eta: 0.1, l2: 0 } });
    lab.teachAll([{ user: 'u', item: 'a', value: 5 }]);
    const before = [lab.predict('u', 'a'), column(lab, 'items', 'a', 'vector').slice()] as const;
    const base = column(lab, 'users', 'u', 'bias')[0];
    lab.teach({ user: 'u', item: 'b', value: 4 });
    const moved = lab.predict('u', 'a') - before[0] - (column(lab, 'users', 'u', 'bias')[0] - base);
    assert.ok(moved > 0.001, `${moved}`);
    assert.deepEqual(column(lab, 'items', 'a', 'vector'), before[1]);
  });

  test('right after a refit it has nothing to learn where it learns what the network said alone', async () => {
    for (const [distill, learns] of [
      [1, false],
      [0.5, true],
      [0, true],
    ] as const) {
      const settings = { online: still, replay: { count: 20, eta: 0.1, l2: 0, distill }, refit: { epochs: 3 } };
      const lab = await refit(createLab(settings, past));
      const before = vectorOf(lab);
      // Nobody knew the item then, so that of its own past there is nothing.
      lab.teach({ user: user(1), item: 'new', value: 5 });
      assert.equal(!vectorOf(lab).every((each, n) => Math.abs(each - before[n]) < 1e-6), learns, `distill ${distill}`);
    }
  });
});

describe('retraction', () => {
  const past = firstRatings(3, { users: 8, items: 8, events: 60 });

  test('rows whose only rating is taken back are as they began', () => {
    const rating = { user: 'new user', item: 'new item', value: 5, weight: 3 };
    const untouched = createLab({}, [], [rating]);
    const lab = createLab({}).teachAll([...past, rating, { ...rating, retract: true }]);
    for (const [table, id] of [
      ['users', 'new user'],
      ['items', 'new item'],
    ] as const)
      for (const name of Object.keys(lab.model.descriptor.tables[table].columns))
        assert.deepEqual(column(lab, table, id, name), column(untouched, table, id, name), `${table} ${name}`);
  });

  test('of a bias it takes what the rating makes of it, wherever it stood', () => {
    // Items that are nobody else's, all of bias 0 in the end: the user's bias alone counts. Steps 1/4, 1/5, 1/6.
    const ratings = [5, 1, 4].map((value, n) => ({ user: 'u', item: item(n), value }));
    const after = (values: readonly number[]) => values.reduce((bias, value, n) => bias + (value - bias) / (n + 4), 0);
    for (const n of [0, 1, 2]) {
      const lab = createLab({ bias: { itemFloor: 0 } }, []).teachAll(ratings);
      const mean = () => 3 + column(lab, 'model', '', 'sum')[0] / (1 + column(lab, 'model', '', 'weight')[0]);
      const bias = column(lab, 'users', 'u', 'bias')[0];
      const items = [0, 1, 2].map((i) => column(lab, 'items', item(i), 'bias')[0]);
      lab.teach({ ...ratings[n], retract: true });
      const missed = ratings.map(({ value }, i) => value - mean() - items[i]);
      const expected = bias + after(missed.filter((_, i) => i !== n)) - after(missed);
      near(column(lab, 'users', 'u', 'bias')[0], expected, `without rating ${n}`);
    }
  });

  test('a row is learned again from no more than its latest ratings, and counts them all', () => {
    const ratings = Array.from({ length: 9 }, (_, n) => ({ user: 'u', item: item(n), value: n === 0 ? 5 : 1 }));
    const lab = createLab({ relearn: 2 }).teachAll([...ratings, { ...ratings[8], retract: true }]);
    assert.equal(column(lab, 'users', 'u', 'ratings')[0], 8);
  });
});

describe('ranking', () => {
  for (const k of [4, 64]) {
    test(`k = ${k}: sum (1 + v) p q + w ln(1 + n), over more than a segment`, () => {
      const ratings = firstRatings(4, { users: 5, items: 3000, events: 4000 });
      const lab = createLab({ gmf: { k }, popularity: 1.5, online: { sharedEta: 0.1 } }).teachAll(ratings);
      const asker = lab.userRow(user(2));
      const scores = lab.score(asker, [3, lab.model.items]);
      const strangers = lab.score(NO_ROW, [3, lab.model.items]);
      const p = column(lab, 'users', user(2), 'vector');
      const v = column(lab, 'model', '', 'products');
      assert.ok(v.some((each) => Math.abs(each) > 1e-3));
      for (const [n, score] of scores.entries()) {
        const id = lab.world.items.text(n + 3);
        const popularity = 1.5 * Math.log(1 + lab.world.interactions.byItem.count(n + 3));
        const q = column(lab, 'items', id, 'vector');
        let taste = 0;
        for (let f = 0; f < k; f++) taste += (1 + v[f]) * p[f] * q[f];
        near(strangers[n], popularity, id, 1e-4);
        near(score, popularity + taste, id, 1e-4);
      }
    });
  }
});

test('tables hold what the network needs, and no more', () => {
  const columnsOf = (settings: Settings) => {
    const { users, model } = plugin.tables(plugin.config.parse(settings));
    return [Object.keys(users.columns), Object.keys(model.columns).slice(5)];
  };
  assert.deepEqual(columnsOf({ tower: { layers: 1 } }), [
    ['vector', 'vectorThen', 'known', 'bias', 'ratings'],
    ['products', 'numbers', 'productsThen', 'numbersThen', 'w0', 'b0', 'up0', 'down0'],
  ]);
  assert.deepEqual(columnsOf({ tower: { layers: 2, rank: 0 }, replay: { distill: 0 } }), [
    ['vector', 'bias', 'ratings'],
    ['products', 'numbers', 'w0', 'b0', 'w1', 'b1'],
  ]);
});
