import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readMovieLensSmall } from '../data.ts';
import { batchesOf } from '../support/ratings.ts';
import { findMissing, type Judgement, judge } from './peer.ts';
import { type Asked, Study } from './study.ts';

/** Figures and intervals against scikit-learn and numpy, from what was asked and answered rating by rating. */

const METRICS = ['rmse', 'mae', 'hit_rate@1', 'hit_rate@10', 'ndcg@10', 'ndcg@100', 'mrr'];
const MODELS = [
  { name: 'mf', plugin: 'mf' },
  { name: 'popularity', plugin: 'popularity' },
];
/** Of the width of an interval: how far the bounds of two bootstraps with other draws may lie apart. */
const APART = 0.12;

const data = readMovieLensSmall();
const COUNT = 30_000;
const skip = findMissing();
const study = skip ? undefined : await Study.write({ after }, batchesOf(data, 0, COUNT, 1000), { min: 0.5, max: 5 });

const CASES: readonly (Asked & { readonly name: string })[] = [
  { name: 'leave last out', split: { type: 'leaveLastOut' } },
  { name: 'among 99 sampled items', split: { type: 'leaveLastOut' }, negatives: 99 },
  { name: 'the latest 2%', split: { type: 'time', share: 0.02 } },
];

const reports: Awaited<ReturnType<Study['report']>>[] = [];
let judgements: readonly Judgement[] = [];

before(
  async () => {
    if (!study) return;
    for (const { name: _name, ...asked } of CASES)
      reports.push(await study.report({ models: MODELS, metrics: METRICS, seed: 11, ...asked }));
    judgements = judge(reports);
  },
  { timeout: 120_000 },
);

for (const [n, { name }] of CASES.entries()) {
  test(name, { skip }, () => {
    const judged = judgements[n];
    const whole = reports[n].figures.filter(({ segment }) => segment === '');
    assert.deepEqual(
      whole.map(({ model, metric }) => `${model} ${metric}`).sort(),
      Object.entries(judged)
        .flatMap(([model, { figures }]) => Object.keys(figures).map((metric) => `${model} ${metric}`))
        .sort(),
    );
    for (const { model, metric, value, interval } of whole) {
      const { figures, intervals } = judged[model];
      const expected = figures[metric];
      assert(Math.abs(value - expected) < 1e-9, `${model} ${metric}: ${value}, and ${expected} by scikit-learn`);
      if (!intervals[metric]) continue;
      const [lower, upper] = intervals[metric];
      assert(interval);
      const apart = Math.max(Math.abs(interval.lower - lower), Math.abs(interval.upper - upper)) / (upper - lower);
      assert(
        apart < APART,
        `${model} ${metric}: ${interval.lower}..${interval.upper}, and ${lower}..${upper} by numpy`,
      );
    }
  });
}
