import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Report } from '../report.ts';
import { SETS } from './cases.ts';
import { errorsOf, ranksOf } from './estimate.ts';
import { measureGrouped } from './grouped.ts';
import { PARTS } from './references.ts';
import { Sheet } from './sheet.ts';

const FIRST = 600;

function sheetOf(t: { mock: { method: typeof import('node:test').mock.method } }, hasTargets: boolean): Sheet {
  t.mock.method(console, 'log', () => {});
  return new Sheet(new Report(), hasTargets);
}

describe('the table of accuracy', () => {
  const part = PARTS.stream('ml-100k');
  const found = {
    RMSE: { value: 0.913, interval: [0.9, 0.92] as const },
    'HR@10': { value: 0.1, interval: undefined },
  };

  test('has what others came to, and whether what is to be reached is', (t) => {
    const sheet = sheetOf(t, true);
    sheet.add(part, 'stack', found);
    const lines = `${sheet}`.split('\n');
    assert.equal(lines[0], `| ${part} | RMSE | MAE | HR@10 | NDCG@10 |`);
    assert.equal(lines[2], '| stack | .9130 [.9000, .9200] (≤ .9140: met) |  | .1000 (≥ .2155: **missed**) |  |');
    assert.ok(lines.includes('| *river 0.26 BiasedMF k=10* | .9481 | .7489 |  |  |'));
    assert.deepEqual(sheet.report.targets, { met: 1, of: 2 });
  });

  test('of a part of a set has neither', (t) => {
    const sheet = sheetOf(t, false);
    sheet.add(part, 'stack', found);
    assert.equal(
      `${sheet}`,
      `| ${part} | RMSE | HR@10 |\n| --- | --- | --- |\n| stack | .9130 [.9000, .9200] | .1000 |`,
    );
  });

  test('leaves out what a model does not do', (t) => {
    const sheet = sheetOf(t, false);
    sheet.add(part, 'popularity', { RMSE: { value: Number.NaN }, 'HR@10': { value: 0.1 } });
    assert.equal(`${sheet}`, `| ${part} | HR@10 |\n| --- | --- |\n| popularity | .1000 |`);
  });
});

test('errors are of ratings, ranks of items, and their intervals of users', () => {
  const users = [1, 1, 2, 3];
  const { RMSE, MAE } = errorsOf(users, Float64Array.of(1, 4, 9, 16));
  assert.equal(RMSE.value, Math.sqrt(7.5));
  assert.equal(MAE.value, 2.5);
  assert.ok(RMSE.interval && RMSE.interval[0] >= Math.sqrt(2.5) && RMSE.interval[1] <= 4);
  const ranks = ranksOf(users, [0, 1, 10, Number.POSITIVE_INFINITY]);
  assert.equal(ranks['HR@10'].value, 0.5);
  assert.equal(ranks['NDCG@10'].value, (1 + 1 / Math.log2(3)) / 4);
});

test('the first ratings are measured through a server', async (t) => {
  const sheet = sheetOf(t, false);
  const advanced: number[] = [];
  await measureGrouped({ sheet, sets: SETS, first: FIRST, advance: (share) => advanced.push(share) });
  const [, rmse, hits] = /\| stack \| (\S+) \[.* \| \S+ \[.* \| (\S+) \[/.exec(`${sheet}`) ?? [];
  assert.ok(Number(rmse) > 0.5 && Number(rmse) < 1.2, `${sheet}`);
  assert.ok(Number(hits) > 0.1, `${sheet}`);
  assert.ok(advanced.length > 0 && advanced.every((share) => share > 0 && share <= 1));
});
