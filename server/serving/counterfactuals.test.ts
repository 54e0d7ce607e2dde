import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Plugin, Query, Scorer } from '../../plugins/contract/index.ts';
import itemCf from '../../plugins/item-cf/plugin.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { Arena } from '../memory/arena.ts';
import type { Score } from '../models/scores.ts';
import { counterfactuals } from './counterfactuals.ts';
import { type Ranked, Ranking } from './ranking.ts';

const query: Query = { user: 0, time: 0 };
const arena = Arena.create(2 ** 20);
const out = arena.allocate(4096);

/** The best of items 0 .. items - 1, less those that are hidden. */
function best(score: Score, items: number, count: number, hidden: (item: number) => boolean): Ranked[] {
  score(Uint32Array.of(0, items), 1, out as Parameters<Score>[2]);
  const scores = Array.from(arena.f32.subarray(out >>> 2, (out >>> 2) + items), (value, row) => ({
    row,
    score: value,
  }));
  return scores
    .filter(({ row }) => !hidden(row))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, count);
}

/** Scores that are sums: `adds[n][j]` is what the rating of item 100 + n adds to item j. */
function additive(adds: readonly (readonly number[])[]): Scorer {
  const items = adds[0].length;
  const write = (without: (n: number) => boolean, at: number) => {
    for (let item = 0; item < items; item++)
      arena.f32[(at >>> 2) + item] = adds.reduce((sum, row, n) => sum + (without(n) ? 0 : row[item]), 0);
  };
  return {
    score: (_query, _spans, _count, at) => write(() => false, at),
    without: (_query, rated, _spans, _count, at) => write((n) => rated.includes(100 + n), at),
    explain: (_query, item) => adds.map((row, n) => ({ item: 100 + n, value: row[item] })),
  };
}

/** Every set of the numbers below `count`. */
const subsets = (count: number) =>
  Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_unused, n) => n).filter((n) => (bits >>> n) & 1),
  );

const whole = fc.nat(9);
const RATED = 5;
const ITEMS = 6;
const sums = fc.array(fc.array(whole, { minLength: ITEMS, maxLength: ITEMS }), { minLength: RATED, maxLength: RATED });

test('without the ratings that are told an item drops out, and of a single one they are the fewest', () => {
  const property = fc.property(sums, fc.constantFrom(1, 2, 3), (adds, count) => {
    const scorer = additive(adds);
    const rank = (score: Score, most: number) => best(score, ITEMS, most, () => false);
    const isIn = (item: number, rated: readonly number[]) => {
      const score: Score = (...asked) => scorer.without?.(query, Uint32Array.from(rated), ...asked);
      return rank(score, count).some(({ row }) => row === item);
    };
    const holders = counterfactuals({ scorer, query, count, rank });
    for (const { row } of rank((...asked) => scorer.score(query, ...asked), count)) {
      const told = holders(row);
      if (told.length === 0) continue;
      assert.ok(!isIn(row, told), `${row} stays without ${told}`);
      // Level is not passed.
      const passed = (set: readonly number[]) => {
        const left = adds.filter((_, n) => !set.includes(n));
        const scores = left.reduce(
          (sum, each) => sum.map((score, item) => score + each[item]),
          new Array(ITEMS).fill(0),
        );
        return Math.max(...scores) > scores[row];
      };
      const fewest = Math.min(...subsets(RATED).map((set) => (passed(set) ? set.length : RATED)));
      if (count === 1) assert.equal(told.length, fewest);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('an item of which too much would have to go, or that nothing can pass, is held up by nothing that is known', () => {
  const rank = (score: Score, most: number) => best(score, 2, most, () => false);
  const certain = additive([
    [3, 1],
    [2, 1],
  ]);
  assert.deepEqual(counterfactuals({ scorer: certain, query, count: 1, rank })(0), []);
  const alone = additive([
    [3, 1],
    [0, 1],
  ]);
  assert.deepEqual(counterfactuals({ scorer: alone, query, count: 1, rank })(0), [100]);
  assert.deepEqual(counterfactuals({ scorer: alone, query, count: 2, rank })(0), []);
  assert.deepEqual(counterfactuals({ scorer: { ...alone, without: undefined }, query, count: 1, rank })(0), []);
});

test('items of a learned ranking drop out when the ratings that are told are really taken back', () => {
  const plugin = itemCf as unknown as Plugin;
  const COUNT = 4;
  const users = 40;
  const items = 30;
  const ratings: Rating[] = Array.from({ length: users * 9 }, (_, n) => {
    const [user, step] = [n % users, Math.floor(n / users)];
    // Everybody walks through the items from somewhere, in steps of one or two.
    return { user: `${user}`, item: `${(user * 7 + step * (1 + (user % 2))) % items}`, value: 3 };
  });
  const learn = () => new Lab(plugin, plugin.config.parse({})).teachAll(ratings);
  const ask = (lab: Lab, user: number) => {
    const { scorer, items } = lab.model;
    const query = { user: lab.userRow(`${user}`), time: 0 };
    const ranking = new Ranking(lab.arena, lab.kernels, lab.world, 100);
    const restrictions = { seenBy: query.user, excluded: [], now: 0, mask: undefined };
    const rank = (score: Score, count: number) => ranking.ofAll({ score, items }, count, restrictions);
    const answer = rank((...asked) => scorer.score(query, ...asked), COUNT).map(({ row }) => row);
    return { answer, holders: counterfactuals({ scorer, query, count: COUNT, rank }) };
  };
  let told = 0;
  const lab = learn();
  for (let user = 0; user < users; user += 5) {
    const { answer, holders } = ask(lab, user);
    for (const row of answer) {
      const held = holders(row).map((item) => lab.world.items.text(item));
      if (held.length === 0) continue;
      told++;
      const after = learn().teachAll(held.map((item) => ({ user: `${user}`, item, retract: true })));
      assert.ok(!ask(after, user).answer.includes(row), `user ${user}: item ${row} stays without ${held}`);
    }
  }
  assert.ok(told > 10, `only ${told} are told`);
});
