import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Lab } from '../../test/laws/lab.ts';
import { firstRatings, item, user } from '../../test/laws/streams.ts';
import { NO_ROW, type Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

/* What `mf` offers besides scoring and predicting where it ranks by taste, against its formulas. */

const RATINGS = firstRatings(5, { users: 30, items: 40, events: 900 });

function createLab(settings: object = {}): Lab {
  return new Lab(plugin as unknown as Plugin, plugin.config.parse({ k: 7, ranking: 'taste', ...settings })).teachAll(
    RATINGS,
  );
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, n) => sum + x * b[n], 0);

function near(actual: number, expected: number, tolerance = 1e-5): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);
}

describe('similar', () => {
  for (const settings of [{}, { freeze: 'items' }, { replay: { scope: 'uniform', count: 3 } }]) {
    test(`with ${JSON.stringify(settings)}: cosine times n/(n + 20), also after retractions`, () => {
      const lab = createLab(settings);
      lab.teachAll(RATINGS.slice(0, 60).map((rating) => ({ ...rating, retract: true })));
      const { items } = lab.model;
      lab.similar(5, [0, items]);
      // Nothing of it is left for the next one.
      const scores = lab.similar(3, [0, items]);
      for (let row = 0; row < items; row++) {
        const [a, b] = [lab.vector(3), lab.vector(row)];
        const count = lab.world.interactions.byItem.count(row);
        const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
        near(scores[row], (cosine * count) / (count + 20));
      }
    });
  }

  test('nothing is like an unknown item, or like one that nobody rates any more', () => {
    const lab = createLab();
    const { items } = lab.model;
    assert.ok(lab.similar(NO_ROW, [0, items]).every((score) => score === 0));
    lab.teachAll(RATINGS.filter((rating) => rating.item === item(4)).map((rating) => ({ ...rating, retract: true })));
    const gone = lab.itemRow(item(4));
    assert.equal(Math.abs(lab.similar(3, [gone, gone + 1])[0]), 0);
  });
});

describe('session', () => {
  /** Scores of someone with the vector that the latest 50 of `seen` add up to. */
  function expectedOf(lab: Lab, seen: readonly number[]): number[] {
    const p = new Float64Array(7);
    for (const [n, row] of seen.toReversed().slice(0, 50).entries()) {
      for (const [f, x] of lab.vector(row).entries()) p[f] += 0.5 * 0.85 ** n * x;
    }
    const ranks = lab.score(NO_ROW, [0, lab.model.items]);
    return Array.from(ranks, (rank, row) => rank + dot(Float32Array.from(p), lab.vector(row)));
  }

  for (const length of [1, 3, 50, 1000]) {
    test(`of ${length} items: .5 sum .85^n q, and popularity`, () => {
      const lab = createLab();
      const { items } = lab.model;
      const seen = Array.from({ length }, (_, n) => (n * 7) % items);
      const expected = expectedOf(lab, seen);
      for (const [row, score] of lab.session(seen, [0, items]).entries()) near(score, expected[row], 1e-4);
      // Nothing of it is left for the next one.
      const next = expectedOf(lab, [2]);
      for (const [row, score] of lab.session([2], [0, items]).entries()) near(score, next[row], 1e-4);
    });
  }
});

describe('explain', () => {
  test('two ratings by hand', () => {
    const before = [
      { user: 'u', item: 'a', value: 3 },
      { user: 'u', item: 'b', value: 3 },
      { user: 'v', item: 'c', value: 3 },
    ];
    const config = plugin.config.parse({
      k: 1,
      base: 'biases',
      ranking: 'taste',
      eta: 0,
      l2: 0,
      mean: false,
      bias: { enabled: false },
      replay: { count: 0 },
    });
    const lab = new Lab(plugin as unknown as Plugin, config, { before });
    const set = (id: string, value: number) => {
      lab.arena.f32[(lab.model.scorer.vectors?.of(lab.itemRow(id)) ?? 0) >>> 2] = value;
    };
    set('a', 1);
    set('b', 2);
    set('c', -1);
    lab.teachAll([
      { user: 'u', item: 'a', value: 5 },
      { user: 'u', item: 'b', value: 2, weight: 0.25 },
    ]);
    // A = 1 + .25 x 4 + 10; the shares are q_c A^-1 w q r.
    const parts = lab.explain(lab.userRow('u'), lab.itemRow('c'));
    const shareOf = (id: string) => parts.find((part) => 'item' in part && part.item === lab.itemRow(id))?.value ?? NaN;
    near(shareOf('a'), (-1 * 1 * 5) / 12);
    near(shareOf('b'), (-1 * 0.25 * 2 * 2) / 12);
    const rest = parts.find((part) => 'term' in part && part.term === 'remainder')?.value ?? NaN;
    near(rest, lab.score(lab.userRow('u'), [lab.itemRow('c'), lab.itemRow('c') + 1])[0] + 6 / 12);
  });

  test('a stranger, and a model without vectors: popularity alone', () => {
    const [known, bare] = [createLab(), createLab({ k: 0 })];
    const asked = [
      [known, NO_ROW],
      [bare, 0],
    ] as const;
    for (const [lab, asker] of asked) {
      assert.deepEqual(lab.explain(asker, 3), [{ term: 'popularity', value: lab.score(asker, [3, 4])[0] }]);
    }
  });

  test('no more ratings are named than the latest 100', () => {
    const ratings = Array.from({ length: 130 }, (_, n) => ({ user: 'u', item: item(n), value: 1 + (n % 5) }));
    const lab = createLab().teachAll(ratings);
    const named = lab.explain(lab.userRow('u'), 0).flatMap((part) => ('item' in part ? [part.item] : []));
    assert.equal(named.length, 100);
    assert.ok(named.every((row) => row !== lab.itemRow(item(29))));
    assert.ok(named.includes(lab.itemRow(item(30))));
  });

  test('a share is about what the score loses when the rating is taken back', () => {
    const lab = createLab({ popularity: 0, k: 16 });
    let product = 0;
    const squares = { share: 0, loss: 0 };
    for (const rating of RATINGS.filter(({ user: id }) => id === user(3)).slice(0, 10)) {
      // Taken back once, so that the row is learned in order and without replays both before and after.
      lab.teachAll([
        { ...rating, item: 'other' },
        { ...rating, item: 'other', retract: true },
      ]);
      const asker = lab.userRow(user(3));
      const rated = lab.itemRow(rating.item);
      const { items } = lab.model;
      const before = lab.score(asker, [0, items]);
      const shares = Array.from({ length: items }, (_, row) =>
        lab
          .explain(asker, row)
          .reduce((sum, part) => ('item' in part && part.item === rated ? sum + part.value : sum), 0),
      );
      lab.teach({ ...rating, retract: true });
      const after = lab.score(asker, [0, items]);
      for (let row = 0; row < items; row++) {
        if (row === rated) continue;
        product += shares[row] * (before[row] - after[row]);
        squares.share += shares[row] ** 2;
        squares.loss += (before[row] - after[row]) ** 2;
      }
    }
    const correlation = product / Math.sqrt(squares.share * squares.loss);
    assert.ok(correlation > 0.6, `correlation is ${correlation}`);
  });
});

test('what needs vectors is offered only where there are some', () => {
  assert.deepEqual(createLab().model.capabilities, [
    'score',
    'predict',
    'retract',
    'refit',
    'similar',
    'session',
    'vectors',
    'explain',
  ]);
  assert.deepEqual(createLab({ k: 0 }).model.capabilities, ['score', 'predict', 'retract', 'refit', 'explain']);
});
