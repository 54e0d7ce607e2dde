import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { report } from '../../server/jobs/evaluation/report.ts';
import { Meter } from '../../server/jobs/meter.ts';
import { readMovieLensSmall, readMovies } from '../data.ts';
import { batchesOf } from '../support/ratings.ts';
import { type Judgement, judge, type Learned, peer } from './peer.ts';
import { type Asked, Study } from './study.ts';

/** Figures and intervals against scikit-learn and numpy, from what was asked and answered rating by rating. */

const OF_PREDICTIONS = ['rmse', 'mae', 'accuracy', 'log_loss', 'calibration_error', 'rating_auc'];
const OF_RANKS = ['hit_rate@1', 'hit_rate@10', 'ndcg@10', 'ndcg@100', 'mrr', 'auc'];
const CUTOFFS = [10, 3];
const OF_LISTS = [
  'precision',
  'recall',
  'coverage',
  'gini',
  'exposure_head',
  'exposure_middle',
  'exposure_tail',
  'novelty',
  'diversity',
].flatMap((name) => CUTOFFS.map((cutoff) => `${name}@${cutoff}`));
const MODELS = [
  { name: 'mf', plugin: 'mf' },
  { name: 'popularity', plugin: 'popularity' },
];
/** Of the width of an interval: how far the bounds of two bootstraps with other draws may lie apart. */
const APART = 0.12;

const data = readMovieLensSmall();
const movies = readMovies();
const COUNT = 30_000;
const skip = peer.findMissing();
const items = movies.map(({ item, genres }) => ({ itemId: String(item), categories: [...genres] }));
const study = skip
  ? undefined
  : await Study.write({ after }, batchesOf(data, 0, COUNT, 1000), { min: 0.5, max: 5, items });

const CASES: readonly (Asked & { readonly name: string })[] = [
  { name: 'leave last out', split: { type: 'leaveLastOut' }, metrics: [...OF_PREDICTIONS, ...OF_RANKS, ...OF_LISTS] },
  {
    name: 'among 99 sampled items',
    split: { type: 'leaveLastOut' },
    negatives: 99,
    metrics: [...OF_PREDICTIONS, ...OF_RANKS],
  },
  {
    name: 'the latest 2%',
    split: { type: 'time', share: 0.02 },
    metrics: [...OF_PREDICTIONS, ...OF_RANKS, ...OF_LISTS],
  },
];
const BINARY = 'two values: predictions are probabilities';

const reports: Awaited<ReturnType<Study['report']>>[] = [];
let judgements: readonly Judgement[] = [];

before(
  async () => {
    if (!study) return;
    for (const { name: _name, ...asked } of CASES)
      reports.push(await study.report({ models: MODELS, seed: 11, ...asked }));
    reports.push(asLiked(reports[CASES.length - 1]));
    judgements = judge(
      reports.map((examination) => ({ examination, learned: learnedBeside(examination.observations) })),
      CUTOFFS,
    );
  },
  { timeout: 240_000 },
);

/** As if what was rated were whether it was liked: one end of the scale or the other. */
function asLiked(found: (typeof reports)[number]): (typeof reports)[number] {
  const { scale, observations: all } = found;
  const value = all.value.map((one) => (one >= 4 ? scale.max : scale.min));
  const answers = found.answers.map((one) => ({ ...one, lists: undefined }));
  const examination = { ...found, answers, observations: { ...all, value, step: scale.max - scale.min } };
  const metrics = [...OF_PREDICTIONS, ...OF_RANKS];
  return { ...examination, ...report(examination, { metrics, seed: 11 }, new Meter(() => {})) };
}

function learnedBeside({ user, item }: { user: Uint32Array; item: Uint32Array }): Learned {
  // Items have their rows by the catalogue, users by their first rating.
  const itemRow = new Map(movies.map((movie, row) => [movie.item, row]));
  const users = [...new Set(Array.from(data.user.slice(0, COUNT)))];
  const held = new Set(Array.from(user, (row, n) => `${users[row]} ${movies[item[n]].item}`));
  const ratings = movies.map(() => 0);
  const raters = new Set<number>();
  for (let n = 0; n < COUNT; n++) {
    if (held.has(`${data.user[n]} ${data.item[n]}`)) continue;
    ratings[itemRow.get(data.item[n]) ?? -1]++;
    raters.add(data.user[n]);
  }
  return { ratings, raters: raters.size, categories: movies.map(({ genres }) => genres) };
}

for (const [n, name] of [...CASES.map((one) => one.name), BINARY].entries()) {
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
      assert(interval && interval.lower <= value && value <= interval.upper, `${model} ${metric}: ${value}`);
      if (!intervals[metric]) continue;
      const [lower, upper] = intervals[metric];
      const apart = Math.max(Math.abs(interval.lower - lower), Math.abs(interval.upper - upper)) / (upper - lower);
      assert(
        apart < APART,
        `${model} ${metric}: ${interval.lower}..${interval.upper}, and ${lower}..${upper} by numpy`,
      );
    }
  });
}
