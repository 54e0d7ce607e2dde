import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RANK_MISS } from '../../models/prequential.ts';
import { Meter } from '../meter.ts';
import type { WindowAnswers } from './examine-window.ts';
import { decide } from './guard.ts';
import { differenceOf, figuresOf, lossesOf, requireLoss } from './window-figures.ts';

const meter = new Meter(() => {});
const NAMING = { live: 'mf@1', candidate: 'mf@2', seed: 1 };
const ANSWERS: WindowAnswers = {
  user: [0, 1, 0, 2],
  live: { error: [1, -2, 1, Number.NaN], rank: [1, 0, 20, RANK_MISS] },
  candidate: { error: [2, -1, 0, 1], rank: [2, 0, 3, RANK_MISS] },
};

test('losses: squared and absolute errors, and what is missing to a hit, of what both answered', () => {
  assert.deepEqual(lossesOf(ANSWERS, requireLoss('')), { user: [0, 1, 0], live: [1, 4, 1], candidate: [4, 1, 0] });
  assert.deepEqual(lossesOf(ANSWERS, requireLoss('mae')).live, [1, 2, 1]);
  const hits = lossesOf(ANSWERS, requireLoss('hit_rate@10'));
  assert.deepEqual(hits, { user: [0, 0, 2], live: [0, 1, 1], candidate: [0, 0, 1] });
});

test('a metric that is none, or that nothing was answered for, is refused with what to do', () => {
  assert.throws(() => requireLoss('rsme'), {
    reason: 'INVALID_FIELD',
    message: /guard\.metric is "rsme", .* name rmse/,
  });
  const silent = { error: [Number.NaN, Number.NaN], rank: [0, 0] };
  const answers = { user: [0, 1], live: silent, candidate: silent };
  assert.throws(() => lossesOf(answers, requireLoss('mae')), {
    reason: 'CAPABILITY_MISSING',
    message: /does not predict/,
  });
  assert.throws(() => lossesOf(answers, requireLoss('mrr')), { message: /set evaluation\.rankEvery/ });
  assert.equal(figuresOf(answers, 'rmse', NAMING, meter), undefined);
});

test('figures of both models, each with its interval', () => {
  const { before, after } = figuresOf(ANSWERS, 'rmse', NAMING, meter) ?? {};
  assert.deepEqual([before?.model, before?.metric, before?.count], ['mf@1', 'rmse', 3]);
  assert.equal(before?.value, Math.sqrt(2));
  assert.deepEqual(before?.interval, { lower: 1, upper: 2 });
  assert.deepEqual([after?.model, after?.value], ['mf@2', Math.sqrt(5 / 3)]);
  const hits = figuresOf(ANSWERS, 'hit_rate@10', NAMING, meter);
  assert.deepEqual([hits?.before.value, hits?.after.value, hits?.after.count], [1 / 3, 2 / 3, 3]);
});

test('the difference that was decided by: squared errors by their name, rankings the other way round', () => {
  const user = Array.from({ length: 30 }, (_, n) => n);
  const errors = (error: number) => ({
    error: user.map(() => error),
    rank: user.map((n) => (error < 1.1 ? 1 : n % 2 === 0 ? 1 : 50)),
  });
  const answers = { user, live: errors(2), candidate: errors(1) };
  const terms = { margin: 0.005, spent: 0, seed: 1 };
  for (const [name, metric, value] of [
    ['rmse', 'mse', -3],
    ['mae', 'mae', -1],
    ['hit_rate@10', 'hit_rate@10', 0.5],
  ] as const) {
    const loss = requireLoss(name);
    const decision = decide(lossesOf(answers, loss), terms, meter);
    assert.equal(decision.verdict, 'better');
    const difference = differenceOf(decision, loss, NAMING);
    const { lower, upper } = difference.interval ?? { lower: Number.NaN, upper: Number.NaN };
    assert.deepEqual([difference.metric, difference.value, difference.count], [metric, value, 30]);
    assert.ok(lower <= value && value <= upper && lower < upper === (metric === 'hit_rate@10'), `${lower} ${upper}`);
    assert.deepEqual([difference.model, difference.baseline], ['mf@2', 'mf@1']);
  }
});
