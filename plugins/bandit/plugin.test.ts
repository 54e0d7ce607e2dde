import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Table } from '../../server/memory/table.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { type Address, NO_ROW, type Plugin } from '../contract/index.ts';
import type { BanditConfig } from './config.ts';
import plugin from './plugin.ts';

/** In a lab, a click weighs 0.2, a purchase 3, and a view is an exposure. */

const HOUR = 3600;
const START = 1_000_000_000;
/** `prior`; with it an exposure of any item is expected to earn .05 at first. */
const C = 10;

/** Where items are, by their rows. */
const PLACES = [
  [2, 0],
  [0, 3],
  [1, 1],
];
const places = {
  spec: { namespace: '', name: 'mf', plugin: 'places', config: { seed: 1 } },
  plugin: {
    name: 'places',
    tables: () => ({}),
    retracts: 'none',
    learner: () => ({ learn() {} }),
    scorer: ({ scores, scratch }: Parameters<Plugin['scorer']>[0]) => {
      const at = scratch(8 * PLACES.length);
      scores.set(PLACES.flat(), at >>> 2);
      return { score() {}, vectors: { width: 2, of: (item: number) => (at + 8 * item) as Address } };
    },
  } as unknown as Plugin,
};

const labOf = (events: readonly Rating[], settings: Partial<BanditConfig> = {}) =>
  new Lab(plugin as unknown as Plugin, plugin.config.parse({ prior: C, width: 2, ...settings }), {
    neighbours: [places],
  }).teachAll(events);

const event = (user: string, item: string, kind: string, hours = 0, more: Partial<Rating> = {}): Rating => ({
  user,
  item,
  kind,
  time: START + HOUR * hours,
  ...more,
});

/** The numbers of a column of a row. */
function column(lab: Lab, table: string, name: string, row = 0): number[] {
  const found = new Table(lab.arena, lab.model.descriptor.tables[table]);
  const { type, width } = found.columns[name];
  const [view, shift] = type === 'f64' ? [lab.arena.f64, 3] : [lab.arena.f32, 2];
  const at = found.column(name)(row) >>> shift;
  return Array.from(view.subarray(at, at + width));
}

const countsOf = (lab: Lab, item: string) => [
  ...column(lab, 'items', 'shown', lab.itemRow(item)),
  ...column(lab, 'items', 'earned', lab.itemRow(item)),
];

function near(actual: readonly number[], expected: readonly number[], tolerance = 1e-6): void {
  assert.equal(actual.length, expected.length);
  for (const [n, value] of expected.entries())
    assert.ok(Math.abs(actual[n] - value) < tolerance, `${actual} is not ${expected}`);
}

describe('what is done with an item', () => {
  test('is earned by an exposure before it, within the window', () => {
    const lab = labOf([
      event('ann', 'a', 'view'),
      event('ann', 'a', 'click', 23),
      event('ann', 'a', 'buy', 24),
      event('ann', 'a', 'click', 24.1),
      event('ann', 'b', 'buy', 1),
      event('bob', 'a', 'click', 1),
      event('bob', 'a', 'view', 2),
      event('bob', 'a', 'click', 1.9),
    ]);
    near(countsOf(lab, 'a'), [2, 3.2]);
    near(countsOf(lab, 'b'), [0, 0]);
    near(column(lab, 'model', 'unclaimed'), [4]);
  });

  test('is earned by its weight; a rating by its value, an edit by the last one', () => {
    const shown = [event('ann', 'a', 'view', 0, { weight: 2 }), event('ann', 'b', 'view')];
    const lab = labOf([...shown, { user: 'ann', item: 'a', value: 3, weight: 2, time: START + HOUR }], { rating: 4 });
    near(countsOf(lab, 'a'), [2, 4]);
    lab.teach({ user: 'ann', item: 'a', value: 5, time: START + 2 * HOUR });
    near(countsOf(lab, 'a'), [2, 4]);
    lab.teach(event('ann', 'b', 'buy', 1, { value: 2 }));
    near(countsOf(lab, 'b'), [1, 1]);
  });

  test('is taken back with it, and so is an exposure', () => {
    const lab = labOf([
      event('ann', 'a', 'view'),
      event('ann', 'a', 'click', 1),
      event('ann', 'a', 'click', 2),
      { user: 'ann', item: 'a', value: 5, time: START + HOUR },
      event('ann', 'a', 'click', 0, { retract: true }),
    ]);
    near(countsOf(lab, 'a'), [1, 1]);
    lab.teach({ user: 'ann', item: 'a', retract: true });
    near(countsOf(lab, 'a'), [1, 0]);
    lab.teach(event('ann', 'a', 'view', 0, { retract: true }));
    near(countsOf(lab, 'a'), [0, 0]);
    near(column(lab, 'model', 'shown'), [0]);
  });
});

test('three exposures by hand', () => {
  const lab = labOf([event('ann', 'a', 'view')]);
  const scores = () => lab.score(NO_ROW, [0, lab.model.items]);
  const rate = (shown: number, earned: number) => (0.05 * C + earned) / (C + shown);
  near([...scores()], [(C * rate(1, 0)) / (C + 1)]);
  lab.teachAll([event('ann', 'a', 'click'), event('bob', 'b', 'view')]);
  near([...scores()], [(C * rate(2, 0.2) + 0.2) / (C + 1), (C * rate(2, 0.2)) / (C + 1)]);
  lab.teachAll([event('bob', 'b', 'buy', 1), event('ann', 'b', 'view')]);
  const mu = rate(3, 3.2);
  near([...scores()], [(C * mu + 0.2) / (C + 1), (C * mu + 3) / (C + 2)]);
  const believed = lab.quantiles(NO_ROW, lab.itemRow('b'), Float64Array.of(-2, 0, 2));
  const shape = C * mu + 3;
  const cube = (z: number) => (shape / (C + 2)) * (1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape))) ** 3;
  near([...believed], [cube(-2), cube(0), cube(2)]);
});

describe('by vectors', () => {
  const RIDGE = 5;
  const stream = [
    event('ann', 'x', 'view'),
    event('ann', 'y', 'view', 1),
    event('ann', 'x', 'click', 1),
    event('ann', 'xy', 'view', 2, { weight: 2 }),
    event('ann', 'xy', 'buy', 3),
  ];
  const unit = (v: readonly number[]) => v.map((value) => value / Math.hypot(...v));

  /** A and b summed up, and A inverted by its determinant. */
  function solved() {
    const A = [RIDGE, 0, RIDGE];
    const b = [0, 0];
    const [x, y, xy] = PLACES.map(unit);
    const show = (v: readonly number[], weight: number, expected: number) => {
      A[0] += weight * v[0] * v[0];
      A[1] += weight * v[0] * v[1];
      A[2] += weight * v[1] * v[1];
      earn(v, -weight * expected);
    };
    const earn = (v: readonly number[], reward: number) => {
      b[0] += reward * v[0];
      b[1] += reward * v[1];
    };
    const rate = (shown: number, earned: number) => (0.05 * C + earned) / (C + shown);
    show(x, 1, rate(0, 0));
    show(y, 1, rate(1, 0));
    earn(x, 0.2);
    show(xy, 2, rate(2, 0.2));
    earn(xy, 3);
    const determinant = A[0] * A[2] - A[1] * A[1];
    const inverse = [A[2] / determinant, -A[1] / determinant, A[0] / determinant];
    const weights = [inverse[0] * b[0] + inverse[1] * b[1], inverse[1] * b[0] + inverse[2] * b[1]];
    return { inverse, weights, mu: rate(4, 3.2) };
  }

  for (const policy of ['linear-thompson', 'linucb'] as const)
    test(`${policy} solves the regression of a user, exposure by exposure`, () => {
      const lab = labOf(stream, { policy, ridge: RIDGE, alpha: 1.5 });
      const { inverse, weights, mu } = solved();
      near(column(lab, 'users', 'inverse'), inverse);
      near(column(lab, 'users', 'weights'), weights);
      const [vx, vy] = unit(PLACES[0]);
      const spread = vx * (inverse[0] * vx + 2 * inverse[1] * vy) + vy * inverse[2] * vy;
      const shape = C * mu + 0.2;
      const mean = shape / (C + 1) + weights[0] * vx + weights[1] * vy;
      const deviation = 1.5 * Math.sqrt(shape / (C + 1) ** 2 + mu * spread);
      const [score] = lab.score(0, [0, 1]);
      if (policy === 'linucb') near([score], [mean + deviation]);
      else {
        near([score], [mean]);
        near([...lab.quantiles(0, 0, Float64Array.of(-1, 2))], [mean - deviation, mean + 2 * deviation]);
      }
    });

  test('a user of whom nothing is left is a stranger again', () => {
    const lab = labOf(stream, { policy: 'linucb' });
    for (const { user, item, kind } of stream) lab.teach({ user, item, kind, retract: true });
    near(column(lab, 'users', 'inverse'), [0, 0, 0]);
    near(column(lab, 'users', 'weights'), [0, 0]);
    near([...lab.score(0, [0, 3])], [...lab.score(NO_ROW, [0, 3])]);
  });

  test('longer vectors keep their angles, nearly', () => {
    const cosines = Array.from({ length: 50 }, (_, seed) => {
      const lab = labOf([event('ann', 'x', 'view'), event('ann', 'y', 'view'), event('ann', 'xy', 'view')], {
        policy: 'linucb',
        width: 1,
        seed,
      });
      const [x, , xy] = [0, 1, 2].map((row) => column(lab, 'items', 'vector', row)[0]);
      return x * xy;
    });
    // In one direction of signs, (2, 0) and (1, 1) are alike where both signs are, or xy is 0.
    assert.ok(cosines.every((value) => [-1, 0, 1].some((sign) => Math.abs(value - sign) < 1e-6)));
    const mean = cosines.reduce((a, b) => a + b) / cosines.length;
    assert.ok(mean > 0.2 && mean < 0.8, `${mean}`);
  });
});
