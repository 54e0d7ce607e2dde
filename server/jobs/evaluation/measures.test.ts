import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_ROW } from '../../../plugins/contract/index.ts';
import { RANK_MISS } from '../../models/prequential.ts';
import { Meter } from '../meter.ts';
import { PARTS } from './catalogue.ts';
import { concordance } from './concordance.ts';
import { estimate } from './estimates.ts';
import { giniOf } from './list-metrics.ts';
import { findMeasure } from './measures.ts';
import type { Evidence, Statistic } from './statistic.ts';

/** What metrics must be whatever was answered. Their values are checked in test/evaluation. */

const CATEGORIES = 5;
const SCALE = { min: 1, max: 5 };

interface Case {
  /** By user the ratings that are held out: of an item, what was predicted, its place. */
  readonly users: readonly (readonly { item: number; value: number; predicted: number; rank: number }[])[];
  /** By user, any items of 0 .. items - 1. */
  readonly lists: readonly (readonly number[])[];
  /** By item: how often it was rated, and what it is. */
  readonly items: readonly { readonly ratings: number; readonly terms: readonly number[] }[];
}

const LENGTH = 4;

function evidenceOf({ users, lists, items }: Case): Evidence {
  const flat = users.flatMap((own, user) => own.map((one) => ({ ...one, user })));
  const starts = users.map((_, user) => flat.findIndex((one) => one.user === user));
  const column = (of: (one: (typeof flat)[number]) => number) => flat.map(of);
  return {
    observations: {
      count: flat.length,
      user: Uint32Array.from(column(({ user }) => user)),
      item: Uint32Array.from(column(({ item }) => item)),
      value: Float64Array.from(column(({ value }) => value)),
      time: new Float64Array(flat.length),
      history: new Uint32Array(flat.length),
      step: 1,
    },
    starts: [...starts, flat.length],
    scale: SCALE,
    catalogue: {
      items: items.length,
      heldOut: Int32Array.from(column(({ item }) => item)),
      selfInformation: Float64Array.from(items, ({ ratings }) => ratings / 3),
      part: Uint8Array.from(items, ({ ratings }) => ratings % PARTS.length),
      isDescribed: true,
      likeness(a, b) {
        const shared = items[a].terms.filter((term) => items[b].terms.includes(term)).length;
        return shared === 0 ? 0 : shared / Math.sqrt(items[a].terms.length * items[b].terms.length);
      },
    },
    answers: {
      model: 'any',
      predicted: Float64Array.from(column(({ predicted }) => predicted)),
      rank: Uint32Array.from(column(({ rank }) => (rank > items.length ? RANK_MISS : rank))),
      candidates: Uint32Array.from(column(({ rank }) => (rank > items.length ? 0 : items.length))),
      lists: {
        length: LENGTH,
        items: Uint32Array.from(lists.flatMap((list) => Array.from({ length: LENGTH }, (_, n) => list[n] ?? NO_ROW))),
      },
    },
  };
}

function measured(name: string, one: Case): number {
  const statistic = findMeasure(name)?.make(evidenceOf(one));
  if (statistic === undefined || typeof statistic === 'string') throw new Error(`${name}: ${statistic}`);
  return estimateOf(statistic, evidenceOf(one));
}

function estimateOf(statistic: Statistic, { starts }: Evidence): number {
  const count = starts.length - 1;
  const users = { count, segmentCount: 1, segment: new Uint8Array(count), starts };
  return estimate([statistic], users, 1, new Meter(() => {}))[0].value(1);
}

const anyCase: fc.Arbitrary<Case> = fc.integer({ min: 2, max: 12 }).chain((items) =>
  fc.integer({ min: 1, max: 6 }).chain((users) =>
    fc.record({
      items: fc.array(fc.record({ ratings: fc.nat(9), terms: fc.uniqueArray(fc.nat(CATEGORIES - 1)) }), {
        minLength: items,
        maxLength: items,
      }),
      users: fc.array(
        fc.array(
          fc.record({
            item: fc.nat(items - 1),
            value: fc.integer(SCALE),
            predicted: fc.double({ ...SCALE, noNaN: true }),
            rank: fc.integer({ min: 1, max: items + 1 }),
          }),
          { minLength: 1, maxLength: 5 },
        ),
        { minLength: users, maxLength: users },
      ),
      lists: fc.array(fc.uniqueArray(fc.nat(items - 1), { minLength: 1, maxLength: LENGTH }), {
        minLength: users,
        maxLength: users,
      }),
    }),
  ),
);

const AT = ['hit_rate', 'ndcg', 'precision', 'recall', 'coverage', 'gini', 'diversity'];
const SHARES = [...AT, ...PARTS.map((part) => `exposure_${part}`)].map((name) => `${name}@3`);

for (const name of ['accuracy', 'calibration_error', 'rating_auc', 'mrr', 'auc', ...SHARES])
  test(`${name} is from 0 to 1, or there is none`, () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const value = measured(name, one);
        assert(Number.isNaN(value) || (value >= -1e-12 && value <= 1 + 1e-12), `${value}`);
      }),
    );
  });

test('the shares of exposure are shares of one whole', () => {
  fc.assert(
    fc.property(anyCase, (one) => {
      const sum = PARTS.reduce((all, part) => all + measured(`exposure_${part}@4`, one), 0);
      assert(Math.abs(sum - 1) < 1e-12, `${sum}`);
    }),
  );
});

test('longer lists cover no fewer items, and find no fewer of those that are held out', () => {
  fc.assert(
    fc.property(anyCase, (one) => {
      for (const name of ['coverage', 'recall', 'hit_rate', 'ndcg'])
        assert(measured(`${name}@2`, one) <= measured(`${name}@3`, one) + 1e-12, name);
    }),
  );
});

test('diversity asks for no order, and that of items which are the same is 0', () => {
  fc.assert(
    fc.property(anyCase, (one) => {
      const turned = { ...one, lists: one.lists.map((list) => list.toReversed()) };
      const [straight, back] = [measured('diversity@4', one), measured('diversity@4', turned)];
      assert(Object.is(straight, back) || Math.abs(straight - back) < 1e-12);
      const alike = { ...one, items: one.items.map((item) => ({ ...item, terms: [0, 2] })) };
      const none = measured('diversity@4', alike);
      assert(Number.isNaN(none) || Math.abs(none) < 1e-12);
    }),
  );
});

test('of what is predicted as it is there is no error, and all that can be right is', () => {
  fc.assert(
    fc.property(anyCase, (one) => {
      const right = { ...one, users: one.users.map((own) => own.map((each) => ({ ...each, predicted: each.value }))) };
      for (const name of ['rmse', 'mae', 'calibration_error']) assert.equal(measured(name, right), 0);
      assert.equal(measured('accuracy', right), 1);
      const order = measured('rating_auc', right);
      assert(order === 1 || Number.isNaN(order));
      // Nothing else is predicted at a lower log loss.
      assert(measured('log_loss', right) <= measured('log_loss', one) + 1e-9);
    }),
  );
});

test('concordance is that of all pairs, whatever users weigh; turned round it is what is missing to 1', () => {
  fc.assert(
    fc.property(anyCase, fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }), fc.boolean(), (one, weights, coarse) => {
      const { observations, starts, answers } = evidenceOf(one);
      const { value, user, count } = observations;
      const predicted = (answers.predicted ?? new Float64Array()).map((each) => (coarse ? Math.round(each) : each));
      let [right, pairs] = [0, 0];
      for (let a = 0; a < count; a++)
        for (let b = 0; b < count; b++) {
          if (value[a] <= value[b]) continue;
          const weight = weights[user[a]] * weights[user[b]];
          pairs += weight;
          right += weight * (predicted[a] > predicted[b] ? 1 : predicted[a] === predicted[b] ? 0.5 : 0);
        }
      const found = concordance(value, predicted, starts)(weights);
      if (pairs === 0) return assert(Number.isNaN(found));
      assert(Math.abs(found - right / pairs) < 1e-12, `${found}, and ${right / pairs} by all pairs`);
      const turned = concordance(
        value,
        predicted.map((each) => -each),
        starts,
      )(weights);
      assert(Math.abs(found + turned - 1) < 1e-12);
    }),
    { numRuns: 500 },
  );
});

test('gini: 0 of what is even, all but one share of what one has, and no unit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(50), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      (counts, unit) => {
        const n = counts.length;
        assert.equal(giniOf(new Float64Array(n).fill(unit)), 0);
        const one = giniOf(Float64Array.from(counts, (_, item) => (item === 0 ? unit : 0)));
        assert(Math.abs(one - (n - 1) / n) < 1e-12);
        const [plain, scaled, turned] = [counts, counts.map((count) => unit * count), counts.toReversed()].map((each) =>
          giniOf(Float64Array.from(each)),
        );
        if (counts.every((count) => count === 0)) return assert(Number.isNaN(plain));
        assert(plain >= 0 && plain < 1 && Math.abs(plain - scaled) < 1e-12 && plain === turned);
      },
    ),
  );
});

test('one held-out item a user: recall is the hit rate, precision its share of the places', () => {
  fc.assert(
    fc.property(anyCase, (one) => {
      const users = one.users.map(([first], user) => {
        const place = one.lists[user].indexOf(first.item) + 1;
        return [{ ...first, rank: place === 0 ? one.items.length + 1 : place }];
      });
      const [hits, recall, precision] = ['hit_rate@3', 'recall@3', 'precision@3'].map((name) =>
        measured(name, { ...one, users }),
      );
      assert(Math.abs(hits - recall) < 1e-12 && Math.abs(hits - 3 * precision) < 1e-12);
    }),
  );
});

test('no other names', () => {
  for (const name of ['rmse', 'auc', 'rating_auc', 'hit_rate@1', 'ndcg@100', 'exposure_tail@37'])
    assert.equal(findMeasure(name)?.name, name);
  for (const name of [
    'RMSE',
    'rmse@10',
    'ndcg',
    'ndcg@',
    'ndcg@0',
    'ndcg@101',
    'ndcg@010',
    'gini',
    'toString',
    'constructor@3',
    '',
  ])
    assert.equal(findMeasure(name), undefined, name);
});

test('a model has what it has the means for, and says what is missing', () => {
  const one: Case = {
    users: [[{ item: 0, value: 3, predicted: 3, rank: 1 }]],
    lists: [[0]],
    items: [{ ratings: 1, terms: [] }],
  };
  const evidence = evidenceOf(one);
  const silent = { ...evidence, answers: { ...evidence.answers, predicted: undefined } };
  for (const name of ['rmse', 'accuracy', 'log_loss', 'calibration_error', 'rating_auc'])
    assert.equal(findMeasure(name)?.make(silent), 'it does not predict ratings');
  const alike = { ...evidence, observations: { ...evidence.observations, step: 0 } };
  for (const name of ['accuracy', 'rating_auc']) assert.equal(findMeasure(name)?.make(alike), 'all ratings are alike');
  const bare = { ...evidence, catalogue: { ...evidence.catalogue, isDescribed: false } };
  assert.equal(findMeasure('diversity@3')?.make(bare), 'no item has categories or labels');
});
