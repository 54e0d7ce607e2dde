import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import type { Figure } from '../../server/jobs/evaluation/report.ts';
import { randomNumbers, rating, retraction } from '../support/ratings.ts';
import { pluginPath } from '../support/server.ts';
import { type Choose, expectMean, lastOfEach, latest } from './reference.ts';
import { Study } from './study.ts';

/** HOLDOUT and RANKING_SAMPLED: by hand, and against the definition done naively. */

const MISS = 0xffff_ffff;
const MEAN = { name: 'mean', plugin: pluginPath('mean') };
const POPULARITY = { name: 'popularity', plugin: 'popularity' };

const at = (seconds: number, one: Rating): Rating => ({ ...one, eventTime: { seconds: BigInt(seconds), nanos: 0 } });

/** Five live ratings in the end; ann's of m2 is edited, bob's of m4 is taken back. */
const BY_HAND: readonly (readonly Rating[])[] = [
  [at(1, rating('ann', 'm1', 5)), at(2, rating('ann', 'm2', 3)), at(3, rating('bob', 'm1', 4))],
  [at(4, rating('bob', 'm3', 2)), at(5, rating('cat', 'm1', 1)), at(6, rating('ann', 'm2', 4))],
  [at(7, rating('bob', 'm4', 5)), at(8, retraction('bob', 'm4'))],
];

function figureOf(figures: readonly Figure[], model: string, metric: string, segment = ''): number | undefined {
  return figures.find((one) => one.model === model && one.metric === metric && one.segment === segment)?.value;
}

test('leave last out, by hand', async (t) => {
  const study = await Study.write(t, BY_HAND);
  const { observations, answers, trainedCount, figures } = await study.report({ models: [MEAN] });
  // Held out: ann's m2 (4, and nothing of the 3 that it was) and bob's m3 (2). Cat has one rating only.
  assert.deepEqual([...observations.value], [4, 2]);
  assert.deepEqual([...observations.history], [1, 1]);
  assert.equal(trainedCount, 3);
  // Ann's mean is 5, bob's 4 again. Neither m2 nor m3 was seen in training.
  assert.deepEqual([...(answers[0].predicted ?? [])], [5, 4]);
  assert.deepEqual([...answers[0].rank], [MISS, MISS]);
  assert.equal(figureOf(figures, 'mean', 'rmse'), Math.sqrt(5 / 2));
  assert.equal(figureOf(figures, 'mean', 'mae'), 1.5);
  assert.equal(figureOf(figures, 'mean', 'mrr'), 0);
});

test('split by time, by hand', async (t) => {
  const study = await Study.write(t, BY_HAND);
  const asked = { models: [MEAN], split: { type: 'time', share: 0.4 } } as const;
  const { observations, answers, figures, trainedCount } = await study.report(asked);
  // Held out: ann's m2 (time 6) and cat's m1 (time 5). Cat is a stranger then: 3.
  assert.deepEqual([...observations.value], [4, 1]);
  assert.deepEqual([...observations.history], [1, 0]);
  assert.equal(trainedCount, 3);
  assert.deepEqual([...(answers[0].predicted ?? [])], [5, 3]);
  // For cat m1 (sum 9) stands before m3 (2) and m4 (0).
  assert.deepEqual([...answers[0].rank], [MISS, 1]);
  assert.equal(figureOf(figures, 'mean', 'hit_rate@10'), 0.5);
  assert.equal(figureOf(figures, 'mean', 'mrr', 'history:0'), 1);
  assert.equal(figureOf(figures, 'mean', 'mrr', 'history:1-9'), 0);
  assert.equal(figureOf(figures, 'mean', 'mrr', 'history:50+'), undefined);
  assert.equal(figureOf(figures, 'mean', 'rmse'), Math.sqrt((1 + 4) / 2));
});

test('lists, by hand', async (t) => {
  const names = ['precision@2', 'recall@2', 'coverage@1', 'coverage@2', 'gini@2', 'novelty@2', 'auc', 'accuracy'];
  const parts = ['exposure_head@2', 'exposure_middle@2', 'exposure_tail@2'];
  const study = await Study.write(t, BY_HAND);
  const asked = { models: [MEAN], split: { type: 'time', share: 0.4 } } as const;
  const found = await study.report({ ...asked, metrics: [...names, ...parts, 'diversity@2'] });
  const { figures, gaps } = found;
  // Ann, who has rated m1, is shown m3 and m4, cat m1 and m3. Cat's m1 is held out, and ann's m2, which nobody else rated.
  assert.deepEqual([...(found.answers[0].lists?.items ?? [])], [1, 2, 0, 1]);
  // Of two users m1 has two ratings, m3 one, and m4, which was taken back, none: it counts as rated by one.
  const second = 1 / Math.log2(3);
  const expected = [0.25, 0.5, 2 / 3, 1, 1 / 6, 3 / 4, 0.5, 0];
  const exposure = [1, 1 + second, second].map((one) => one / (2 + 2 * second));
  for (const [n, metric] of [...names, ...parts].entries()) {
    const value = figureOf(figures, 'mean', metric) ?? Number.NaN;
    assert(Math.abs(value - [...expected, ...exposure][n]) < 1e-12, `${metric}: ${value}`);
  }
  assert.equal(figures.find(({ metric, segment }) => metric === 'recall@2' && segment === '')?.count, 2);
  assert.deepEqual(gaps, [{ model: 'mean', metric: 'diversity@2', why: 'no item has categories or labels' }]);
});

test('how items are alike, by hand', async (t) => {
  const items = [
    { itemId: 'm1', categories: ['a', 'b'] },
    { itemId: 'm3', categories: ['a'], labels: ['a'] },
    { itemId: 'm4' },
  ];
  const study = await Study.write(t, BY_HAND, { items });
  const asked = { models: [MEAN], split: { type: 'time', share: 0.4 } } as const;
  const { figures } = await study.report({ ...asked, metrics: ['diversity@2', 'diversity@3'] });
  // Of m1 and m3 one in two each is the same (a label is no category), and m4 is like no other: cat's list has all pairs.
  assert.equal(figureOf(figures, 'mean', 'diversity@2'), (1 + 0.5) / 2);
  assert.equal(figureOf(figures, 'mean', 'diversity@3'), (1 + (0.5 + 1 + 1)) / 4);
});

test('a learning curve, by hand', async (t) => {
  const study = await Study.write(t, BY_HAND);
  const { curves } = await study.examine({ models: [MEAN] });
  // Learned, each as its user's mean, or 3, was expected: ann's 5 and bob's 4 in the first record, cat's 1, bob's 5 of m4.
  assert.deepEqual(
    curves.find(({ metric }) => metric === 'mae'),
    {
      ...{ model: 'mean', metric: 'mae' },
      points: [
        { count: 2, value: 1.5 },
        { count: 3, value: 2 },
        { count: 4, value: 1 },
      ],
    },
  );
  const later = await study.examine({ models: [MEAN], from: 2 });
  assert.deepEqual(
    later.curves[0].points.map(({ count }) => count),
    [3, 4],
  );
});

test('a window: what was rated before it counts as never rated', async (t) => {
  const study = await Study.write(t, BY_HAND);
  const { observations, answers } = await study.examine({
    models: [MEAN],
    from: 2,
    to: 3,
    split: { type: 'time', share: 0.3 },
  });
  // Live in it: bob's m3 (4), cat's m1 (5), ann's m2 (6), which is no edit here.
  assert.deepEqual([...observations.value], [4]);
  assert.deepEqual([...(answers[0].predicted ?? [])], [3]);
  assert.equal((await study.examine({ models: [MEAN], to: 1 })).observations.count, 1);
});

test('a window: items that were described before it are known in it', async (t) => {
  const later = [at(21, rating('cat', 'm2', 2)), at(22, rating('cat', 'm9', 3))];
  const study = await Study.write(t, [...BY_HAND, later], { items: [{ itemId: 'm9' }] });
  const { observations, answers } = await study.examine({ models: [MEAN], from: 5, to: 5 });
  assert.deepEqual([observations.count, ...answers[0].rank], [1, 1]);
  assert.deepEqual([...(answers[0].predicted ?? [])], [2]);
});

test('nothing to hold out: no figures', async (t) => {
  const study = await Study.write(t, [[rating('ann', 'm1', 5)]]);
  for (const split of [{ type: 'leaveLastOut' }, { type: 'time', share: 0.5 }] as const) {
    const { figures, differences, observations } = await study.report({ split });
    assert.deepEqual([figures, differences, observations.count], [[], [], 0]);
  }
});

/** Ratings, edits and retractions of a few users and items, whose times are not those of their arrival. */
function randomStream(seed: number, length: number): Rating[] {
  const random = randomNumbers(seed);
  const below = (n: number) => Math.floor(random() * n);
  const live: [string, string][] = [];
  return Array.from({ length }, () => {
    const chosen = live.length > 0 && random() < 0.25 ? live[below(live.length)] : undefined;
    const [user, item] = chosen ?? [`user ${Math.floor(40 * random() ** 2)}`, `item ${below(60)}`];
    live.push([user, item]);
    const one = random() < 0.1 ? retraction(user, item) : rating(user, item, 1 + below(5));
    return at(1_000_000 + below(40), one);
  });
}

function batches(stream: readonly Rating[], size: number): Rating[][] {
  return Array.from({ length: Math.ceil(stream.length / size) }, (_, n) => stream.slice(n * size, (n + 1) * size));
}

for (const seed of [1, 2, 3]) {
  test(`random streams, against the definition done naively: seed ${seed}`, async (t) => {
    const stream = randomStream(seed, 1200);
    const study = await Study.write(t, batches(stream, 7));
    const cases: [Parameters<Study['examine']>[0], (count: number) => Choose][] = [
      [{ split: { type: 'leaveLastOut' } }, () => lastOfEach],
      [{ split: { type: 'leaveLastOut' }, negatives: 1000 }, () => lastOfEach],
      [{ split: { type: 'time', share: 0.25 } }, (count) => latest(count)],
    ];
    for (const [asked, choose] of cases) {
      const { observations, answers, trainedCount } = await study.examine({ models: [MEAN], ...asked });
      const { held, trainedCount: expectedCount } = expectMean(stream, choose(observations.count));
      assert(held.size > 20);
      assert.equal(trainedCount, expectedCount);
      const sorted = (rows: readonly (readonly number[])[]) =>
        rows.map((row) => row.map((n) => n.toFixed(9)).join(' ')).sort();
      const found = Array.from({ length: observations.count }, (_, n) => [
        observations.value[n],
        answers[0].predicted?.[n] ?? Number.NaN,
        answers[0].rank[n],
        observations.history[n],
      ]);
      const expected = [...held.values()].map(({ value, predicted, rank, history }) => [
        value,
        predicted,
        rank,
        history,
      ]);
      assert.deepEqual(sorted(found), sorted(expected));
    }
  });
}

test('equal seeds give equal reports, other seeds other intervals and samples', async (t) => {
  const study = await Study.write(t, batches(randomStream(4, 1500), 10));
  const asked = { negatives: 20, models: [MEAN, POPULARITY] };
  const [first, again, other] = [
    await study.report({ ...asked, seed: 7 }),
    await study.report({ ...asked, seed: 7 }),
    await study.report({ ...asked, seed: 8 }),
  ];
  assert.deepEqual(again, first);
  assert.notDeepEqual(other.answers[0].rank, first.answers[0].rank);
  assert(Math.max(...first.answers[0].rank.filter((rank) => rank !== MISS)) <= 21);
  const full = await study.report({ models: [MEAN], seed: 7 });
  const fullOther = await study.report({ models: [MEAN], seed: 8 });
  assert.deepEqual(full.answers, fullOther.answers);
  assert.notDeepEqual(full.figures[0].interval, fullOther.figures[0].interval);
});

test('differences are from the first model, where both have the metric', async (t) => {
  const study = await Study.write(t, batches(randomStream(5, 1500), 10));
  const twice = [MEAN, { ...MEAN, name: 'twin' }, POPULARITY];
  const { figures, differences } = await study.report({ models: twice });
  const ofTwin = differences.filter(({ model }) => model === 'twin');
  assert(ofTwin.length > 0);
  for (const { value, interval, baseline } of ofTwin)
    assert.deepEqual([value, baseline, interval?.lower ?? 0, interval?.upper ?? 0], [0, 'mean', 0, 0]);
  const ofPopularity = differences.filter(({ model, segment }) => model === 'popularity' && segment === '');
  assert.deepEqual(
    ofPopularity.map(({ metric }) => metric),
    ['hit_rate@1', 'hit_rate@10', 'ndcg@10', 'mrr'],
  );
  for (const { metric, value, interval } of ofPopularity) {
    const own = figureOf(figures, 'popularity', metric) ?? Number.NaN;
    assert.equal(value, own - (figureOf(figures, 'mean', metric) ?? Number.NaN));
    assert(interval && interval.lower <= value && value <= interval.upper, `${metric}: ${value}`);
  }
  // The parts are those of the whole.
  const parts = figures.filter(({ model, metric, segment }) => model === 'mean' && metric === 'mrr' && segment !== '');
  const whole = figures.find(({ model, metric, segment }) => model === 'mean' && metric === 'mrr' && segment === '');
  assert.equal(
    parts.reduce((sum, { count }) => sum + count, 0),
    whole?.count,
  );
});

test('a model that fails has no figures, the others have theirs', async (t) => {
  const study = await Study.write(t, [
    ...batches(randomStream(6, 400), 10),
    [at(1, rating('user 0', 'item 0', 3, { weight: 10 }))],
  ]);
  const failing = { name: 'failing', plugin: pluginPath('failing') };
  const { figures, failures, curves } = await study.report({ models: [MEAN, failing] });
  assert.deepEqual(
    failures.map(({ model }) => model),
    ['failing'],
  );
  for (const each of [figures, curves]) assert.deepEqual([...new Set(each.map(({ model }) => model))], ['mean']);
});

test('what does not fit the memory is refused', async (t) => {
  const stream = Array.from({ length: 50_000 }, (_, n) => at(n, rating(`user ${n}`, `item ${n % 5000}`, 3)));
  const study = await Study.write(t, batches(stream, 10_000), { memoryMiB: 64 });
  await assert.rejects(
    study.examine({ models: [{ name: 'mf', plugin: 'mf', config: { k: 256 } }] }),
    (error: { reason: string; message: string }) => {
      assert.equal(error.reason, 'MEMORY_FULL');
      assert.match(error.message, /mf takes about \d+ MiB, and jobs\.memoryMiB allows 64 MiB: raise it/);
      return true;
    },
  );
});
