import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../report.ts';
import { benchFreshness, SHORT } from './freshness.ts';
import { draw, periodsOf } from './periods.ts';

const DAYS = Float64Array.of(0, 0.5, 0.9, 1, 4.2, 4.3, 5).map((day) => 100 + day * 86_400);

describe('periods', () => {
  test('are those of T seconds in which something was rated', () => {
    const periods = periodsOf({ time: DAYS, count: DAYS.length }, 86_400);
    assert.deepEqual(periods, [
      { from: 0, to: 3 },
      { from: 3, to: 4 },
      { from: 4, to: 6 },
      { from: 6, to: 7 },
    ]);
  });

  test('are all measured where they are few', () => {
    const drawn = draw(periodsOf({ time: DAYS, count: DAYS.length }, 86_400), 4);
    assert.deepEqual(
      drawn,
      [3, 1, 2, 1].map((count, place) => ({ place, share: count / 7 })),
    );
  });

  test('of many those are drawn in which evenly spaced ratings lie, once each', () => {
    const periods = Array.from({ length: 100 }, (_, n) => ({ from: 10 * n, to: 10 * n + 10 }));
    const many = [{ from: 0, to: 1000 }, ...periods.map(({ from, to }) => ({ from: from + 1000, to: to + 1000 }))];
    const drawn = draw(many, 4);
    assert.deepEqual(drawn, [
      { place: 0, share: 0.5 },
      { place: 26, share: 0.25 },
      { place: 76, share: 0.25 },
    ]);
  });
});

test('the benchmark of freshness runs', async (t) => {
  const told: string[] = [];
  t.mock.method(console, 'log', (line: string) => told.push(line));
  await benchFreshness(new Report(), SHORT);
  const text = told.join('\n');
  const rmse = (name: string) => Number(new RegExp(`^\\| ${name} \\| ([.\\d]+) `, 'm').exec(text)?.[1]);
  assert.ok(rmse('online') < rmse('retraining alone, every 30 days'), text);
  assert.ok(rmse('retraining alone, every 30 days') < rmse('retraining alone, every 180 days'), text);
});
