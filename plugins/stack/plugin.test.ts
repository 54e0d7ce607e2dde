import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { Table } from '../../server/memory/table.ts';
import { resolveModels } from '../../server/models/plugins.ts';
import { Lab, type Rating } from '../../test/laws/lab.ts';
import { definePlugin, f64, NO_ROW, type Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';

const START = 1_000_000_000;

/** Expects `value`, and ranks items by `rank` of their row. */
function constant(name: string, value: number, rank: (item: number) => number) {
  const constantPlugin = definePlugin({
    name,
    summary: 'Always says the same.',
    stateVersion: 1,
    config: z.object({ seed: z.int().default(1) }),
    tables: () => ({ model: { index: 'model', columns: { unused: f64() } } }) as const,
    retracts: 'none',
    scorer: ({ scores }) => ({
      predict: () => value,
      score(_query, spans, spanCount, out) {
        let at = out >>> 2;
        for (let span = 0; span < spanCount; span++)
          for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) scores[at++] = rank(row);
      },
    }),
    learner: () => ({ learn() {} }),
  });
  return {
    plugin: constantPlugin as unknown as Plugin,
    spec: { namespace: '', name, plugin: name, config: { seed: 1 } },
  };
}

const RATING = { inputs: ['low', 'high'] };
const low = constant('low', 3, (item) => item);
const high = constant('high', 4.5, (item) => -item);

function stack(settings: object, neighbours = [low, high]): Lab {
  return new Lab(plugin as unknown as Plugin, plugin.config.parse(settings), { neighbours });
}

const column = (lab: Lab, table: string, name: string, row = 0, at = 0) =>
  lab.arena.f64[(new Table(lab.arena, lab.model.descriptor.tables[table]).column(name)(row) >>> 3) + at];

function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

describe('three ratings by hand', () => {
  const lab = stack({ rating: { inputs: ['low'] }, ranking: { inputs: [] } });
  const rate = (item: string, value: number, seconds: number) =>
    lab.teach({ user: 'ann', item, value, time: START + seconds });

  test('at first it expects what the base does', () => {
    rate('a', 5, 0);
    near(lab.expected, 3);
    // x: p = -.5; .1; p gi = -.5; p li = .5; gu = gi = 1; lu = li = -1; their product 1; no misses: v = sqrt(.3) - .9, v p;
    // no gap: .3 for the hour and for the minute.
    const v = Math.sqrt(0.3) - 0.9;
    const x = [-0.5, 0.1, -0.5, 0.5, 1, 1, -1, -1, 1, 0, 0, v, -0.5 * v, 0, 0, 0.3, 0, 0, 0.3];
    const p = x.map((_, j) => (j < 2 ? 0.1 : 0.02));
    const s = x.reduce((sum, value, j) => sum + p[j] * value * value, 0.9999);
    for (const [j, value] of x.entries())
      near(column(lab, 'model', 'weights', 0, j), (j === 0 ? 1 : 0) + (p[j] * value * 2) / s);
    near(column(lab, 'model', 'covariance', 0, 1 * 19 + 4), -(p[1] * x[1] * p[4] * x[4]) / s / 0.9999);
  });

  test('the user is noted by how it missed: by 2', () => {
    near(column(lab, 'users', 'fast'), 0.5);
    near(column(lab, 'users', 'slow'), 2 / 5);
    near(column(lab, 'users', 'square'), 4);
    near(column(lab, 'users', 'base'), -0.5);
  });

  test('the next rating is expected by W x, whose miss goes into the means', () => {
    const minute = Math.exp(-1);
    const hour = Math.exp(-1 / 60);
    const w = Array.from({ length: 19 }, (_, j) => column(lab, 'model', 'weights', 0, j));
    const gu = 1 / Math.sqrt(1.25);
    const lu = Math.log(2) / 4 - 1;
    const v = Math.sqrt(4.3) - 0.9;
    const x = [-0.5, 0.1, -0.5, 0.5, gu, 1, lu, -1, -lu, 0.5, 0.4, v, -0.5 * v];
    x.push(-0.5, -0.5 * hour, 0.3 * hour, 0.5 * minute, -0.5 * minute, 0.3 * minute);
    const expected = 3.5 + w.reduce((sum, weight, j) => sum + weight * x[j], 0);
    rate('b', 4, 60);
    near(lab.expected, Math.min(5, expected), 1e-12);
    const miss = 4 - expected;
    near(column(lab, 'users', 'fast'), 0.5 + 0.25 * (miss - 0.5), 1e-12);
    near(column(lab, 'users', 'slow'), 0.4 + (miss - 0.4) / 6, 1e-12);
    near(column(lab, 'users', 'square'), 4 + (miss * miss - 4) / 5, 1e-12);
  });

  test('an edit is no new event, and the row of a user goes with their last rating', () => {
    rate('b', 1, 90);
    assert.equal(column(lab, 'model', 'events'), 2);
    lab.teach({ user: 'ann', item: 'b', retract: true });
    assert.equal(column(lab, 'users', 'count'), 2);
    lab.teach({ user: 'ann', item: 'a', retract: true });
    for (const name of ['count', 'last', 'fast', 'slow', 'square', 'base']) assert.equal(column(lab, 'users', name), 0);
  });
});

/** Everybody rates 4 with some noise. */
function* ratings(count: number): Generator<Rating> {
  for (let n = 0; n < count; n++)
    yield {
      user: `user-${n % 40}`,
      item: `item-${(7 * n + 3 * Math.floor(n / 40)) % 60}`,
      value: 4,
      time: START + 400 * n,
    };
}

describe('inputs', () => {
  test('it learns which of them to believe, and a duplicate changes nothing', () => {
    const [one, twice] = [RATING, { inputs: ['low', 'high', 'high'] }].map((rating) =>
      stack({ rating, ranking: { inputs: [] } }).teachAll(ratings(2000)),
    );
    near(one.predict('user-1', 'item-1', START + 1e6), 4, 0.05);
    near(twice.predict('user-1', 'item-1', START + 1e6), 4, 0.05);
  });

  test('one that is not there is made do without, also the base, and all of them', () => {
    for (const neighbours of [[low], [high], []]) {
      const lab = stack({ rating: RATING, ranking: { inputs: [{ model: 'low' }, { model: 'gone' }] } }, neighbours);
      lab.teachAll(ratings(2000));
      near(lab.predict('user-1', 'item-1', START + 1e6), 4, 0.2);
      assert(lab.score(0, [0, 60]).every((score) => Number.isFinite(score)));
    }
  });

  test('with plugins that learn, it misses by less than each of them', async () => {
    const neighbours = await resolveModels([
      { name: 'mf', plugin: 'mf', config: { k: 4 } },
      { name: 'biases', plugin: 'mf', config: { base: 'biases', k: 0, ranking: 'taste', replay: { count: 0 } } },
    ]);
    const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse({}), { neighbours });
    // Tastes of two kinds, and users who rate everything higher for a while.
    const value = (n: number) =>
      3 + ((n % 40) % 2 === (7 * n) % 2 ? 1 : -1) + (Math.floor(n / 500) % 2 === 0 ? 0.7 : -0.7);
    let n = 0;
    for (const rating of ratings(4000)) lab.teach({ ...rating, value: Math.min(5, Math.max(1, value(n++))) });
    const rmse = lab.figure('rmse');
    for (const { name, prequential } of lab.inputs) {
      const alone = prequential.figures().find(({ metric, window }) => metric === 'rmse' && window === 'total')?.value;
      assert(rmse < Number(alone), `${rmse}, and ${name} alone ${alone}`);
    }
  });
});

describe('rankings', () => {
  const rankings = { inputs: [{ model: 'taste' }, { model: 'noise' }], rate: 0.1 };
  /** Users and items are of two kinds, and whoever rates an item is of its kind; all but `taste` says nothing of that. */
  const parity = (lab: () => Lab) =>
    constant('taste', 3, (item) => (Number(lab().world.items.text(item).slice(5)) % 2 === 0 ? 1 : 0));
  const noise = constant('noise', 3, (item) => (item * 7919) % 101);

  function learned(rating: object = { inputs: ['taste'] }): Lab {
    const lab: Lab = stack({ rating, ranking: rankings }, [parity(() => lab), noise]);
    for (const { user, time } of ratings(3000)) {
      const n = (Number(time) - START) / 400;
      lab.teach({ user, item: `item-${2 * ((13 * n + 7 * Math.floor(n / 40)) % 40)}`, value: 4, time });
      if (n < 80) lab.teach({ user: 'other', item: `item-${n}`, value: 4, time });
    }
    return lab;
  }

  test('one that says what comes gets weight, one that says nothing none', () => {
    const lab = learned();
    // Events of a user are hours apart: the last bucket.
    const [taste, noisy] = [0, 1].map(
      (at) => column(lab, 'model', 'mix', 0, at) + column(lab, 'model', 'byGap', 0, 6 + at),
    );
    assert(taste > 2 && Math.abs(noisy) < 0.3, `taste has ${taste}, noise ${noisy}`);
    const scores = lab.score(0, [0, 80], START + 2e6);
    const [even, odd] = [0, 1].map((kind) =>
      [...scores].filter((_, row) => Number(lab.world.items.text(row).slice(5)) % 2 === kind),
    );
    assert(Math.min(...even) > Math.max(...odd));
  });

  test('the scores of an item are the same in whatever spans it is asked', () => {
    const lab = learned();
    const whole = lab.score(0, [0, 80], START + 2e6);
    assert.deepEqual(lab.score(0, [0, 10, 10, 11, 11, 80], START + 2e6), whole);
    assert.deepEqual(lab.score(0, [70, 80], START + 2e6), whole.slice(70));
    assert.equal(lab.score(NO_ROW, [0, 80]).length, 80);
  });

  test('an explanation says what each ranking adds', () => {
    const lab = learned();
    const parts = lab.explain(0, 4, START + 2e6);
    assert.deepEqual(parts.map((part) => 'term' in part && part.term).sort(), ['noise', 'taste']);
    near(
      parts.reduce((sum, { value }) => sum + value, 0),
      lab.score(0, [4, 5], START + 2e6)[0],
      1e-5,
    );
  });
});

test('the median is below the mean where few are far above', () => {
  const stream = Array.from({ length: 4000 }, (_, n) => ({
    user: `user-${n % 40}`,
    item: `item-${n % 7}`,
    value: ((n * 7919) % 1009) % 5 === 4 ? 5 : 2,
    time: START + 10_000 * n,
  }));
  const expect = (output: string) =>
    stack({ rating: { ...RATING, output }, ranking: { inputs: [] } })
      .teachAll(stream)
      .predict('user-x', 'item-1', START + 1e9);
  assert(expect('median') < expect('mean') - 0.2);
});
