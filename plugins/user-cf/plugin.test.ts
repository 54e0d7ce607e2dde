import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { tablesOf } from '../../test/laws/rows.ts';
import { mixedStream, user } from '../../test/laws/streams.ts';
import { NO_ROW, type Plugin } from '../contract/index.ts';
import userCf from './plugin.ts';

const plugin = userCf as unknown as Plugin;
const NEIGHBOURS = 16;

const createLab = (config: object = {}) =>
  new Lab(plugin, userCf.config.parse({ neighbours: NEIGHBOURS, doubt: 20, prior: 2, ...config }));

const rate = (user: string, item: string, value = 3, more: Partial<Rating> = {}): Rating => ({
  user,
  item,
  value,
  ...more,
});

const near = (actual: number, expected: number, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);

/** What is kept of a user's neighbours: n and C by the neighbour's row. */
function neighboursOf(lab: Lab, id: string): Map<number, { common: number; product: number }> {
  const [users, , , pool] = tablesOf(lab);
  const [, page] = users.values(lab.userRow(id));
  if (page === 0) return new Map();
  const values = pool.values(page - 1);
  const places = Array.from({ length: NEIGHBOURS }, (_, n) => n).filter((n) => values[n] > 0);
  return new Map(
    places.map((n) => [values[n] - 1, { common: values[NEIGHBOURS + n], product: values[2 * NEIGHBOURS + n] }]),
  );
}

const biasOf = (lab: Lab, table: 0 | 1, row: number) => tablesOf(lab)[table].values(row)[0];

test('steps by hand', () => {
  const lab = createLab();
  // m = 3: e = 2. A first step is 1/5. Then m = 3 + 2/2.
  lab.teach(rate('ada', 'tea', 5));
  near(lab.predict('ben', 'tea'), 4 + 0.4);
  // e = 1 - (4 + .4) = -3.4, the second step of ada's bias is 1/6: .4 - 3.4/6 = -1/6. Then m = 3.
  lab.teach(rate('ada', 'cake', 1));
  near(lab.predict('ada', 'cake'), 3 - 1 / 6 - 0.68);
  // e = 5 - (3 + .4) = 1.6: .32 for ben, .4 + 1.6/6 = 2/3 for tea. Then m = 3 + 2/4. One rating makes no neighbours.
  lab.teach(rate('ben', 'tea', 5));
  near(lab.predict('ben', 'tea'), 3.5 + 0.32 + 2 / 3);
  assert.equal(neighboursOf(lab, 'ben').size, 0);
  // x = 1 - (3.5 + .32 - .68) = -2.14, ada's y = 1 - (3.5 - 1/6 - .68): C = x y.
  lab.teach(rate('ben', 'cake', 1));
  const y = 1 - (3.5 - 1 / 6 - 0.68);
  const { common, product } = neighboursOf(lab, 'ben').get(lab.userRow('ada')) ?? assert.fail('ben has no neighbour');
  assert.equal(common, 1);
  near(product, -2.14 * y);
  // What ada says of pie counts s/(2 + s) for ben.
  lab.teach(rate('ada', 'pie', 5));
  const [m, pie] = [3 + 2 / 6, biasOf(lab, 1, lab.itemRow('pie'))];
  const s = (-2.14 * y) / 21;
  const says = 5 - (m + biasOf(lab, 0, lab.userRow('ada')) + pie);
  near(lab.predict('ben', 'pie'), m + biasOf(lab, 0, lab.userRow('ben')) + pie + (s * says) / (2 + s));
});

test('an edit changes what the pair has, and a retraction takes it away', () => {
  const lab = createLab().teachAll([rate('ada', 'tea'), rate('ben', 'cake'), rate('ben', 'tea', 5)]);
  const ada = lab.userRow('ada');
  const before = neighboursOf(lab, 'ben').get(ada)?.product ?? Number.NaN;
  // From 5 to 1, where ada's residual is y: C changes by -4 y.
  const y = 3 - lab.predict('ada', 'tea');
  lab.teach(rate('ben', 'tea', 1));
  const after = neighboursOf(lab, 'ben').get(ada) ?? assert.fail('the edit has taken ada away');
  near(after.product, before - 4 * y);
  assert.equal(after.common, 1);
  lab.teach(rate('ben', 'tea', 1, { retract: true }));
  assert.equal(neighboursOf(lab, 'ben').size, 0);
});

test('there are never more neighbours than places, and those with much in common stay', () => {
  const lab = createLab();
  const items = Array.from({ length: 30 }, (_, n) => `item-${n}`);
  lab.teachAll(items.map((item) => rate('friend', item, 5)));
  for (let n = 0; n < 200; n++) lab.teach(rate(`stranger-${n}`, items[n % 10], 1));
  lab.teachAll(items.toReversed().map((item) => rate('me', item, 5)));
  const kept = neighboursOf(lab, 'me');
  assert.ok(kept.size > NEIGHBOURS / 2 && kept.size <= NEIGHBOURS, `${kept.size}`);
  assert.ok((kept.get(lab.userRow('friend'))?.common ?? 0) > 10);
});

test("who takes all ratings back is nobody's neighbour and has none", () => {
  for (let seed = 0; seed < 10; seed++) {
    const stream = mixedStream(seed, { users: 40, items: 12, events: 1500 });
    const lab = createLab({ raters: 8 }).teachAll(stream);
    const gone = user(7);
    const row = lab.userRow(gone);
    const others = Array.from({ length: 40 }, (_, n) => user(n)).filter((id) => id !== gone);
    assert.ok(others.some((id) => neighboursOf(lab, id).has(row)) && neighboursOf(lab, gone).size > 0);
    for (const item of new Set(stream.map((rating) => rating.item))) lab.teach({ user: gone, item, retract: true });
    assert.equal(neighboursOf(lab, gone).size, 0);
    assert.equal(biasOf(lab, 0, row), 0);
    assert.deepEqual(
      others.filter((id) => neighboursOf(lab, id).has(row)),
      [],
      `seed ${seed}`,
    );
  }
});

test('what raters of the last item rated next to it is ranked by how near it is', () => {
  const lab = createLab();
  const items = ['far', 'before', 'tea', 'next', 'later', 'alone'];
  lab.teachAll(items.slice(0, 5).map((item) => rate('ada', item)));
  lab.teachAll([rate('ben', 'alone'), rate('cid', 'tea')]);
  const scoresFor = (row: number) => items.map((item) => lab.score(row, [lab.itemRow(item), lab.itemRow(item) + 1])[0]);
  const expected = [0.45, 0.5, 0, 1, 0.9, 0];
  for (const [n, score] of scoresFor(lab.userRow('cid')).entries()) near(score, expected[n]);
  assert.deepEqual(scoresFor(NO_ROW), [0, 0, 0, 0, 0, 0]);
  const session = lab.session([lab.itemRow('tea')], [0, items.length]);
  for (const [n, item] of items.entries()) near(session[lab.itemRow(item)], expected[n]);
});

test('voters count by how much they agree', () => {
  const lab = createLab();
  lab.teachAll([
    ...['a', 'b', 'c'].map((item) => rate('like', item, item === 'c' ? 1 : 5)),
    ...['a', 'b', 'c'].map((item) => rate('unlike', item, item === 'c' ? 5 : 1)),
    ...['a', 'b', 'c'].map((item) => rate('me', item, item === 'c' ? 1 : 5)),
    ...['tea', 'by-like'].map((item) => rate('like', item)),
    ...['tea', 'by-unlike'].map((item) => rate('unlike', item)),
    rate('me', 'tea'),
  ]);
  const [mine, other] = ['by-like', 'by-unlike'].map(
    (item) => lab.score(lab.userRow('me'), [lab.itemRow(item), lab.itemRow(item) + 1])[0],
  );
  assert.ok(mine > other && other > 0, `${mine}, ${other}`);
  const [part] = lab.explain(lab.userRow('me'), lab.itemRow('by-like'));
  assert.ok('item' in part && part.item === lab.itemRow('tea'));
});
