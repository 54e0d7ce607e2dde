import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMovieLensSmall } from '../../test/data.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { differences } from '../../test/laws/rows.ts';
import { mixedStream } from '../../test/laws/streams.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

const make = (ratings: readonly Rating[], input: object = {}, before: readonly Rating[] = []) =>
  new Lab(plugin as unknown as Plugin, plugin.config.parse(input), { budgetMiB: 256, before }).teachAll(ratings);

async function refit(lab: Lab): Promise<number> {
  let yields = 0;
  for await (const _ of lab.model.refit(1)) yields++;
  return yields;
}

/** Edits and retractions among first ratings. */
const stream = mixedStream(5, { users: 12, items: 10, events: 400 });

function near(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let n = 0; n < expected.length; n++)
    assert.ok(Math.abs(found[n] - expected[n]) < 1e-5, `number ${n} is ${found[n]}, not ${expected[n]}`);
}

/** What is left of a stream, in the order in which it came first. */
function liveOf(ratings: readonly Rating[]): Rating[] {
  const live = new Map<string, Rating>();
  for (const rating of ratings) {
    const pair = `${rating.user} ${rating.item}`;
    if (rating.retract) live.delete(pair);
    else live.set(pair, rating);
  }
  return [...live.values()];
}

test('a refit leaves what the live ratings alone would have taught', async () => {
  const lab = make(stream);
  await refit(lab);
  // The same rows for users and items, and nothing learned of them.
  const gone = liveOf(stream).map((rating) => ({ ...rating, retract: true }));
  const never = make(liveOf(stream), {}, [...stream, ...gone]);
  const spans = [0, lab.model.items];
  for (let n = 0; n < 12; n++) {
    const row = lab.userRow(`user-${n}`);
    near(lab.score(row, spans), never.score(row, spans));
    near(lab.head('fast', row, spans), never.head('fast', row, spans));
    for (let item = 0; item < 10; item++)
      near([lab.predict(`user-${n}`, `item-${item}`)], [never.predict(`user-${n}`, `item-${item}`)]);
  }
});

test('without edits and retractions a refit finds what was learned', async () => {
  const firsts = liveOf(stream);
  const [lab, learned] = [make(firsts), make(firsts)];
  await refit(lab);
  // Sums of doubles are added in another order.
  assert.deepEqual(differences(learned, lab, 1e-12), []);
});

test('a refit that is left off can be learned on and taken back from', async () => {
  // Some weigh nothing: a refit passes them over.
  const firsts = liveOf(stream).map((rating, n) => (n % 9 === 0 ? { ...rating, weight: 0 } : rating));
  const lab = make(firsts);
  // Once it has sorted the ratings, and unlearned everything.
  let yields = 0;
  for await (const _ of lab.model.refit(1)) if (++yields === 2) break;
  lab.teachAll(firsts.map((rating) => ({ ...rating, retract: true })));
  assert.ok(Math.abs(lab.predict('user-1', 'item-1') - 3.5) < 1e-9, `${lab.predict('user-1', 'item-1')}`);
});

/** EASE in plain doubles. */
function easeOf(ratings: readonly Rating[], l2: number, itemsMax: number, partners: number) {
  const users = Map.groupBy(ratings, ({ user }) => user);
  const counts = new Map<string, number>();
  for (const { item } of ratings) counts.set(item, (counts.get(item) ?? 0) + 1);
  const seen = [...counts.keys()];
  const chosen = seen
    .filter((item) => (counts.get(item) ?? 0) >= 2)
    .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || seen.indexOf(a) - seen.indexOf(b))
    .slice(0, itemsMax);
  const m = chosen.length;
  const a = chosen.map((one, i) =>
    chosen.map((other, j) => {
      const both = [...users.values()].filter((own) =>
        [one, other].every((each) => own.some(({ item }) => item === each)),
      );
      return both.length + (i === j ? l2 : 0);
    }),
  );
  const inverse = invert(a);
  return new Map(
    chosen.map((item, i) => {
      const weights = chosen.map((other, j): [string, number] => [other, i === j ? 0 : -inverse[i][j] / inverse[j][j]]);
      return [
        item,
        weights.sort(([, x], [, y]) => Math.abs(y) - Math.abs(x)).slice(0, Math.min(partners, m - 1)),
      ] as const;
    }),
  );
}

function invert(matrix: number[][]): number[][] {
  const m = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < m; k++) {
    const pivot = rows[k][k];
    rows[k] = rows[k].map((x) => x / pivot);
    for (let i = 0; i < m; i++) {
      const factor = rows[i][k];
      if (i !== k) rows[i] = rows[i].map((x, j) => x - factor * rows[k][j]);
    }
  }
  return rows.map((row) => row.slice(m));
}

const { user, item, value } = readMovieLensSmall();
const ratings: Rating[] = Array.from({ length: 2500 }, (_, n) => ({
  user: `${user[n]}`,
  item: `${item[n]}`,
  value: value[n],
}));

// Around the eight rows of a block and the four numbers of a vector, and as many as there are.
for (const [items, partners] of [
  [1, 4],
  [7, 4],
  [8, 8],
  [9, 4],
  [61, 200],
  [4000, 1000],
]) {
  test(`the ranking of ${items} items at most by what is rated together`, async () => {
    const lab = make(ratings, { ease: { items, partners, l2: 20 } });
    const spans = [0, lab.model.items];
    const [first] = ratings.slice(-1);
    assert.ok(lab.head('ease', lab.userRow(first.user), spans).every((score) => score === 0));
    assert.ok((await refit(lab)) > 1);
    const weights = easeOf(ratings, 20, items, partners);
    for (const id of new Set(ratings.map((rating) => rating.user))) {
      const own = ratings.filter((rating) => rating.user === id).reverse();
      const expected = new Map<string, number>();
      for (const [n, rated] of own.slice(0, 100).entries())
        for (const [other, weight] of weights.get(rated.item) ?? [])
          expected.set(other, (expected.get(other) ?? 0) + 0.9 ** n * weight);
      for (const [n, score] of lab.head('ease', lab.userRow(id), spans).entries()) {
        const wanted = expected.get(lab.world.items.text(n)) ?? 0;
        assert.ok(Math.abs(score - wanted) < 1e-5, `${id}, ${lab.world.items.text(n)}: ${score} is not ${wanted}`);
      }
    }
  });
}

test('where it is off there is no such ranking', () => {
  assert.deepEqual(Object.keys(make([]).model.scorer.heads ?? {}), ['fast']);
});
