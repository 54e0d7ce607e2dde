import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { fusionOf, readBlocks } from '../../server/models/fusion.ts';
import { fuse } from '../../test/laws/fusing.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { randomNumbers } from '../../test/support/ratings.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

/* What `mf` does about drift. */

type Settings = Parameters<typeof plugin.config.parse>[0] & object;

const USERS = 160;
const ITEMS = 140;
/** More than the test compares with. */
const CALM = 17_000;
const SHIFTED = 1500;
const SMALL = { k: 0, ranking: 'taste' } as const;

const createLab = (settings: Settings = {}) =>
  new Lab(plugin as unknown as Plugin, plugin.config.parse({ ...SMALL, ...settings }));

/** Any user and any item, each pair once; from one rating on, good items are bad. */
const STREAM: readonly Rating[] = (() => {
  const random = randomNumbers(4);
  const pairs = Array.from({ length: USERS * ITEMS }, (_, n) => n);
  const good = Array.from({ length: ITEMS }, () => 2.4 * random() - 1.2);
  return Array.from({ length: CALM + SHIFTED }, (_, n) => {
    const other = n + Math.floor(random() * (pairs.length - n));
    [pairs[n], pairs[other]] = [pairs[other], pairs[n]];
    const item = pairs[n] % ITEMS;
    const value = 3 + (n < CALM ? 1 : -1) * good[item] + random() - 0.5;
    return { user: `u${Math.floor(pairs[n] / ITEMS)}`, item: `i${item}`, value, time: 1e9 + n };
  });
})();

function columnOf(lab: Lab, table: 'users' | 'items', id: string, name: string): number {
  const descriptor = lab.model.descriptor.tables[table];
  const row = table === 'users' ? lab.userRow(id) : lab.itemRow(id);
  const { type } = descriptor.columns[name];
  return lab.arena[type][new Table(lab.arena, descriptor).column(name)(row) >>> (type === 'f64' ? 3 : 2)];
}

/** The mean square of how far items have moved, as the model sees it. */
function movedOf(lab: Lab): number {
  const table = lab.model.descriptor.tables.drift;
  return lab.arena.f64[new Table(lab.arena, table).column('moved')(0) >>> 3];
}

/** How many of a row's ratings the drift was suspected by, of all that came before `next`. */
function suspectedOf(lab: Lab, next: Rating, of: 'user' | 'item'): number {
  const [found] = lab.model.scorer.drifts?.() ?? [];
  const end = STREAM.indexOf(next);
  return STREAM.slice(end - found.ratings, end).filter((rating) => rating[of] === next[of]).length;
}

/** Teaches until drift is found; what comes after that is returned. */
function untilFound(lab: Lab): readonly Rating[] {
  const end = STREAM.findIndex((rating) => {
    lab.teach(rating);
    return lab.model.scorer.drifts?.().length === 1;
  });
  assert.ok(end > CALM, `found after ${end}`);
  return STREAM.slice(end + 1);
}

test('a row is unsure again when it is rated after drift, learns what came since that began, and then as ever', () => {
  const lab = createLab();
  const rest = untilFound(lab);
  const next = rest.find((rating) => suspectedOf(lab, rating, 'item') === 2) as Rating;
  lab.teachAll(rest.slice(0, rest.indexOf(next)).filter(({ item, user }) => item !== next.item && user !== next.user));
  const of = (name: string) => columnOf(lab, 'items', next.item, name);
  const level = () => columnOf(lab, 'users', next.user, 'covariance');
  const [variance, ratings, userRatings] = [
    of('biasVariance'),
    of('ratings'),
    columnOf(lab, 'users', next.user, 'ratings'),
  ];
  assert.ok(variance < 0.02 && level() < 0.1 && of('before') === 0, `${variance}, ${level()}`);
  const ofUser = suspectedOf(lab, next, 'user');
  lab.teach(next);
  // Items have moved by 1.4 in the root mean square, of which the scale leaves less: D began with 1 at most. Each of its three
  // ratings adds about 1/S to 1/D, where S is from half of the noise to the noise, 1.5, and what is unsure of the user.
  const learned = 1 / of('moveVariance') - 1 / Math.min(1, movedOf(lab));
  assert.ok(learned > 3 / 2.5 && learned < 3 / 0.3, `${learned}`);
  assert.ok(level() > 0.05 && level() < 0.1515, `A is ${level()}`);
  assert.deepEqual([of('before'), of('drifts')], [ratings - 2, 1]);
  assert.equal(columnOf(lab, 'users', next.user, 'before'), userRatings - ofUser);

  const after = of('moveVariance');
  lab.teach({ ...next, user: 'another' });
  assert.ok(of('moveVariance') < after);
  assert.deepEqual([of('before'), of('drifts')], [ratings - 2, 1]);
  // Who is new after it has met it.
  assert.deepEqual([columnOf(lab, 'users', 'another', 'before'), columnOf(lab, 'users', 'another', 'drifts')], [0, 1]);
});

test('what is not rated stays as it is', () => {
  const lab = createLab();
  const [next] = untilFound(lab);
  const others = Array.from({ length: ITEMS }, (_, n) => `i${n}`).filter((id) => id !== next.item);
  const variances = () => others.map((id) => columnOf(lab, 'items', id, 'biasVariance'));
  const before = variances();
  lab.teach(next);
  assert.deepEqual(variances(), before);
});

test('those who follow a drift are told from those who do not', () => {
  const lab = createLab({ replay: { count: 0 } });
  const follows = (user: string) => Number(user.slice(1)) % 2 === 0;
  // 3 + x became 3 - x + noise: who does not follow has 6 - r, but for the noise.
  for (const [n, { value = 0, ...rating }] of STREAM.entries())
    lab.teach({ ...rating, value: n < CALM || follows(rating.user) ? value : 6 - value });
  assert.equal(lab.model.scorer.drifts?.().length, 1);
  const mean = (wanted: boolean) => {
    const users = Array.from({ length: USERS }, (_, n) => `u${n}`).filter((user) => follows(user) === wanted);
    return users.reduce((sum, user) => sum + columnOf(lab, 'users', user, 'follow'), 0) / users.length;
  };
  assert.ok(mean(true) > mean(false) + 0.3, `${mean(true)} and ${mean(false)}`);
});

test('with `reopen` 0 drift is told of, and nothing is learned otherwise than without watching, also after a refit', async () => {
  const [told, blind] = [createLab({ drift: { reopen: 0 } }), createLab({ drift: { enabled: false } })];
  for (const [n, rating] of STREAM.entries()) {
    if (n === STREAM.length - 300) for (const { model } of [told, blind]) for await (const _ of model.refit(1));
    told.teach(rating);
    blind.teach(rating);
    assert.equal(told.expected, blind.expected);
  }
  const found = told.model.scorer.drifts?.() ?? [];
  assert.deepEqual([found.length, found[0]?.action], [1, '']);
  assert.equal(blind.model.scorer.drifts, undefined);
});

for (const base of ['bayes', 'biases'] as const)
  test(`${base}: errors are smaller than without, once drift is found`, () => {
    const [told, blind] = [{}, { drift: { enabled: false } }].map((more) =>
      createLab({ base, replay: { count: 0 }, ...more }),
    );
    for (const rating of STREAM) for (const lab of [told, blind]) lab.teach(rating);
    assert.equal(told.model.scorer.drifts?.().length, 1);
    assert.ok(told.figure('rmse') < blind.figure('rmse') - 0.001, `${told.figure('rmse')} and ${blind.figure('rmse')}`);
  });

test('a retraction takes the rating out of those before the drift, or after it, and keeps what the row met', () => {
  const lab = createLab();
  const [next] = untilFound(lab);
  lab.teach(next);
  const [before, ratings, earlier] = ['before', 'ratings', 'earlier'].map((name) =>
    columnOf(lab, 'items', next.item, name),
  );
  const old = STREAM.find(({ item, user }) => item === next.item && user !== next.user) as Rating;
  const of = (name: string) => columnOf(lab, 'items', next.item, name);
  const variance = of('moveVariance');
  lab.teach({ ...old, retract: true });
  assert.deepEqual([of('before'), of('drifts'), of('ratings')], [before - 1, 1, ratings - 1]);
  assert.equal(of('earlier'), earlier - 1);
  // Learned again, it has met the drift again, and one rating since: far from as sure as all its ratings would make it.
  assert.ok(variance > 0.05 && of('moveVariance') > 0.05, `${of('moveVariance')}, and was ${variance}`);
  lab.teach({ ...next, retract: true });
  assert.deepEqual([of('before'), of('drifts'), of('ratings')], [before - 1, 1, ratings - 2]);
});

test('an item whose only rating from before is taken back is as one that is new after the drift', () => {
  const [once, never] = [createLab({ replay: { count: 0 } }), createLab({ replay: { count: 0 } })];
  const old = { user: 'u3', item: 'late', value: 5, time: 1e9 };
  once.teach(old);
  for (const lab of [once, never]) {
    untilFound(lab);
    lab.teach({ user: 'u7', item: 'late', value: 1, time: 2e9 });
  }
  assert.equal(columnOf(once, 'items', 'late', 'before'), 1);
  once.teach({ ...old, retract: true });
  const [left, right] = [once, never].map((lab) => columnOf(lab, 'items', 'late', 'effect'));
  assert.ok(Math.abs(left - right) < 0.2 && right < -1, `${left} and ${right}`);
  for (const name of ['before', 'drifts', 'moveVariance'])
    assert.equal(columnOf(once, 'items', 'late', name), columnOf(never, 'items', 'late', name), name);
});

test('what an item moved by comes with a source that alone knows the item', async () => {
  const first = { user: 'u0', item: 'only', value: 5, time: 1e9 };
  const [source, target] = [createLab().teachAll([first]), createLab().teachAll([first])];
  for (const n of [1, 2, 3]) source.teach({ ...first, user: `u${n}` });
  target.teach({ ...first, retract: true });
  for (const lab of [source, target]) untilFound(lab);
  for (const n of [4, 5, 6]) source.teach({ ...first, user: `u${n}`, value: 1 });
  const of = (lab: Lab) =>
    ['bias', 'biasVariance', 'move', 'moveVariance'].map((name) => columnOf(lab, 'items', 'only', name));
  assert.deepEqual(of(target), [0, 0, 0, 0]);
  assert.ok(columnOf(source, 'items', 'only', 'move') < -0.5);
  const { plugin: own, descriptor } = source.model;
  const fusion = fusionOf(own, descriptor.config);
  assert.ok(typeof fusion !== 'string');
  await fuse(target, readBlocks(source.model, fusion.columns), 'AVERAGE');
  assert.deepEqual(of(target), of(source));
});

test('a refit learns all ratings alike, and compares the errors to come with none of those before', async () => {
  const lab = createLab();
  lab.teachAll(untilFound(lab));
  for await (const _ of lab.model.refit(1));
  for (const id of ['i3', 'i77']) assert.equal(columnOf(lab, 'items', id, 'before'), 0);
  assert.equal(lab.model.scorer.drifts?.().length, 1);
});
