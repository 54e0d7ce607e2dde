import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Scale } from '../../server/memory/scale.ts';
import { Table } from '../../server/memory/table.ts';
import { readMovieLensSmall } from '../../test/data.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { firstRatings, item, user } from '../../test/laws/streams.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';
import { RatingReference } from './reference.ts';

/* The Bayesian base: by hand, against its reference, and what it does with weights, edits and retractions. */

type Settings = Parameters<typeof plugin.config.parse>[0] & object;

const DAY = 86_400;
const START = 1_000_000_000;

function createLab(settings: Settings = {}, scale = new Scale(1, 5), budgetMiB = 64): Lab {
  const config = plugin.config.parse({ ranking: 'taste', k: 0, ...settings });
  return new Lab(plugin as unknown as Plugin, config, { scale, budgetMiB });
}

function column(lab: Lab, table: 'users' | 'items' | 'model', id: string, name: string): number[] {
  const descriptor = lab.model.descriptor.tables[table];
  const row = { users: () => lab.userRow(id), items: () => lab.itemRow(id), model: () => 0 }[table]();
  const { type, width } = descriptor.columns[name];
  const at = new Table(lab.arena, descriptor).column(name)(row) >>> (type === 'f64' ? 3 : 2);
  return Array.from(lab.arena[type].subarray(at, at + width));
}

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);
}

test('three steps by hand: a user rates two items, another user one of them', () => {
  const lab = createLab();
  const teach = (who: string, what: string, value: number, time: number) => {
    lab.teach({ user: who, item: what, value, time: START + time });
    return lab.expected;
  };

  // m = 3.5, and every feature is 0. e = 1.5; noise .375 + .375; A = .1515, B = .20005; S = 1.10155.
  near(teach('u', 'a', 5, 0), 3.5);
  near(column(lab, 'users', 'u', 'coefficients')[0], (0.1515 / 1.10155) * 1.5);
  near(column(lab, 'users', 'u', 'covariance')[0], 0.1515 - 0.1515 ** 2 / 1.10155);
  near(column(lab, 'items', 'a', 'bias')[0], (0.20005 / 1.10155) * 1.5);
  near(column(lab, 'items', 'a', 'biasVariance')[0], 0.20005 - 0.20005 ** 2 / 1.10155);
  // m = 40/11, and the mean effect is a fifth of 5 - m.
  near(column(lab, 'items', 'a', 'effect')[0], (5 - 40 / 11) / 5);
  near(column(lab, 'users', 'u', 'missed')[0], 2.25);
  near(column(lab, 'users', 'u', 'lately')[0], 0.45);

  // Ten seconds later, an item that is new. Of the features only the session (ln 2) and the residual of late (.45) are not
  // 0. After one event: M = f/3, V = .95 + ((2f/3)² - .95)/21, since the first rating made V = .95.
  const z = [Math.log(2), 0.45].map((f) => {
    const variance = 0.95 + (((2 * f) / 3) ** 2 - 0.95) / 21;
    return (2 * f) / 3 / Math.sqrt(variance + 1e-6);
  });
  const level = (0.1515 / 1.10155) * 1.5;
  const expected = 40 / 11 + level;
  near(teach('u', 'b', 2, 10), expected);
  const e = 2 - expected;
  const variances = [0.1515 - 0.1515 ** 2 / 1.10155 + 0.0015, 0.01506, 0.01506];
  // What the user errs by: noise = .375 + (2.25 + 7.5)/22.
  const spread = 0.375 + 9.75 / 22 + variances[0] + variances[1] * z[0] ** 2 + variances[2] * z[1] ** 2 + 0.20005;
  const x = column(lab, 'users', 'u', 'coefficients');
  near(x[0], level + (variances[0] / spread) * e);
  near(x[4], (variances[1] * z[0] * e) / spread);
  near(x[5], (variances[2] * z[1] * e) / spread);
  near(column(lab, 'users', 'u', 'covariance')[(4 * 5) / 2], -(variances[1] * z[0] * variances[0]) / spread);
  near(column(lab, 'items', 'b', 'bias')[0], (0.20005 / spread) * e);

  // A day after its first rating, the first item again, by someone new: m = 42/12; the item's effect, ln 2 ratings, ln 2
  // days. M and V have seen two events of nothing.
  const bias = (0.20005 / 1.10155) * 1.5;
  near(teach('v', 'a', 4, DAY), 3.5 + bias);
  const S = 0.75 + 0.1515 + 0.20005 - 0.20005 ** 2 / 1.10155 + 0.00005;
  const slopes = [(5 - 40 / 11) / 5, Math.log(2), Math.log(2)].map((f) => {
    const before = 0.95 * (20 / 21);
    const variance = before + (((3 * f) / 4) ** 2 - before) / 22;
    return (3 * f) / 4 / Math.sqrt(variance + 1e-6);
  });
  const all = slopes.reduce(
    (sum, each) => sum + (0.01 + 3e-8) * each ** 2,
    S + slopes.reduce((sum, each) => sum + 0.01503 * each ** 2, 0),
  );
  for (const [f, slope] of column(lab, 'model', '', 'slopes').entries())
    near(slope, ((0.01 + 3e-8) * slopes[f] * (0.5 - bias)) / all);
});

describe('against the reference, on a real stream', () => {
  const ratings = readMovieLensSmall();
  const scale = new Scale(0.5, 5);
  const COUNT = 30_000;

  /** Of predictions of both for the first ratings, clipped as the host does; with factors, where both rows are known. */
  function largestDifference(lab: Lab, reference: RatingReference, count: number): number {
    const { user, item, value, time } = ratings;
    const known = new Set<string>();
    let most = 0;
    for (let n = 0; n < count; n++) {
      lab.teach({ user: `${user[n]}`, item: `${item[n]}`, value: value[n], time: time[n] });
      const event = { user: user[n], item: item[n], value: scale.toInternal(value[n]), time: time[n] };
      const expected = Math.min(5, Math.max(1, reference.learn(event)));
      const isKnown = known.has(`user ${user[n]}`) && known.has(`item ${item[n]}`);
      known.add(`user ${user[n]}`).add(`item ${item[n]}`);
      if (reference.hasFactors && !isKnown) continue;
      most = Math.max(most, Math.abs(scale.toInternal(lab.expected) - expected));
    }
    return most;
  }

  test('without factors every prediction is that of the reference', () => {
    const most = largestDifference(createLab({}, scale), new RatingReference(), COUNT);
    assert.ok(most < 1e-6, `one is ${most} off`);
  });

  test('with factors too, but for what f32 rounds', () => {
    const settings = { k: 16, replay: { count: 0 } };
    const lab = createLab(settings, scale);
    // The same first values: those of a model that has learned nothing.
    const before = Array.from({ length: COUNT / 3 }, (_, n) => ({
      user: `${ratings.user[n]}`,
      item: `${ratings.item[n]}`,
      value: 3,
    }));
    const config = plugin.config.parse({ ranking: 'taste', ...settings });
    const fresh = new Lab(plugin as unknown as Plugin, config, { before });
    const drawn = (table: 'users' | 'items', n: number) => column(fresh, table, `${n}`, 'vector');
    const most = largestDifference(lab, new RatingReference(drawn), COUNT / 3);
    assert.ok(most < 1e-4, `one is ${most} off`);
  });

  test('the reference errs by as much as the C program', () => {
    const reference = new RatingReference();
    let squared = 0;
    for (let n = 0; n < ratings.count; n++) {
      const value = scale.toInternal(ratings.value[n]);
      const event = { user: ratings.user[n], item: ratings.item[n], value, time: ratings.time[n] };
      squared += (value - Math.min(5, Math.max(1, reference.learn(event)))) ** 2;
    }
    // `km` of online-stack.c with K = 0 on ml-latest-small, in units of the set.
    near(1.125 * Math.sqrt(squared / ratings.count), 0.842049, 5e-7);
  });
});

describe('a rating', () => {
  const RATINGS = firstRatings(11, { users: 12, items: 12, events: 120 });

  test('of more weight moves more, never past itself', () => {
    const expected = [0, 0.5, 1, 10].map((weight) => {
      const lab = createLab().teachAll(RATINGS);
      lab.teach({ user: 'u', item: item(1), value: 5, weight });
      return lab.predict('u', item(1));
    });
    for (let n = 1; n < expected.length; n++) assert.ok(expected[n] > expected[n - 1], `${expected}`);
    assert.ok(expected[3] < 5);
  });

  test('that is edited is a step toward the new value, and counted once', () => {
    const lab = createLab().teachAll(RATINGS);
    lab.teach({ user: 'u', item: 'a', value: 5, time: START });
    const before = lab.predict('u', 'a');
    lab.teach({ user: 'u', item: 'a', value: 1, time: START });
    assert.ok(lab.predict('u', 'a') < before);
    assert.deepEqual(column(lab, 'users', 'u', 'ratings'), [1]);
    assert.deepEqual(column(lab, 'users', 'u', 'place'), [1]);
  });

  test('that comes late neither begins a session nor makes an item younger than new', () => {
    const lab = createLab();
    for (const time of [2 * DAY, 0]) lab.teach({ user: 'u', item: 'a', value: 5, time: START + time });
    for (const time of [2 * DAY, 0, DAY]) lab.teach({ user: 'v', item: `${time}`, value: 5, time: START + time });
    assert.deepEqual(column(lab, 'users', 'v', 'place'), [3]);
    assert.ok(Number.isFinite(lab.predict('v', 'a', START - DAY)));
  });
});

describe('retraction', () => {
  const past = firstRatings(12, { users: 12, items: 12, events: 120 });

  test('rows whose only rating is taken back are as they began, and what was learned for all is little', () => {
    const lab = createLab().teachAll(past);
    const rating: Rating = { user: 'new user', item: 'new item', value: 5, weight: 3 };
    const before = lab.predict(user(1), item(1));
    lab.teachAll([rating, { ...rating, retract: true }]);
    for (const name of ['coefficients', 'covariance', 'missed', 'lately', 'ratedAt', 'place', 'ratings'])
      assert.ok(
        column(lab, 'users', 'new user', name).every((value) => value === 0),
        name,
      );
    for (const name of ['bias', 'biasVariance', 'effect', 'first', 'ratings'])
      assert.deepEqual(column(lab, 'items', 'new item', name), [0], name);
    near(lab.predict(user(1), item(1)), before, 0.02);
  });

  test('what stays of a user is what the other ratings say: level, slopes, session', () => {
    const lab = createLab().teachAll(past);
    const times = [0, 10, 20, 7200];
    const ratings = times.map((time, n) => ({ user: 'u', item: item(n), value: 4, time: START + time }));
    lab.teachAll(ratings);
    const before = [lab.predict('u', item(9), START + 7220), ...column(lab, 'users', 'u', 'place')];
    const wrong = { user: 'u', item: item(8), value: 1, time: START + 7210 };
    lab.teachAll([wrong, { ...wrong, retract: true }]);
    const after = [lab.predict('u', item(9), START + 7220), ...column(lab, 'users', 'u', 'place')];
    assert.deepEqual([before[1], after[1]], [1, 1]);
    near(after[0], before[0], 0.1);
  });
});
