import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ROW } from '../../../plugins/contract/index.ts';
import { Meter } from '../meter.ts';
import { type Findings, report } from './report.ts';

const METRICS = ['rmse', 'rating_auc', 'novelty@2', 'diversity@2'];

/** Two users with two ratings each; the first one had none before, and what they rated is alike. Every list has one item. */
function findings(count = 4): Findings {
  const value = Float64Array.of(3, 3, 1, 5).subarray(0, count);
  return {
    observations: {
      count,
      user: Uint32Array.of(0, 0, 1, 1).subarray(0, count),
      item: Uint32Array.of(0, 1, 0, 1).subarray(0, count),
      value,
      time: new Float64Array(count),
      history: Uint32Array.of(0, 0, 5, 5).subarray(0, count),
      step: 2,
    },
    answers: [
      {
        model: 'any',
        predicted: value,
        rank: new Uint32Array(count).fill(1),
        candidates: new Uint32Array(count).fill(2),
        lists: { length: 2, items: Uint32Array.of(0, NO_ROW, 1, NO_ROW) },
      },
    ],
    scale: { min: 1, max: 5 },
    catalogue: {
      items: 2,
      heldOut: Int32Array.of(0, 1, 0, 1),
      selfInformation: Float64Array.of(1, 2),
      part: Uint8Array.of(0, 1),
      isDescribed: true,
      likeness: () => 0,
    },
  };
}

const gapsOf = (found: Findings) => {
  const { gaps, figures } = report(found, { metrics: METRICS, seed: 1 }, new Meter(() => {}));
  for (const { value } of figures) assert.ok(Number.isFinite(value));
  return gaps.map(({ metric, why }) => `${metric}: ${why}`);
};

test('a figure that there is none of is listed with the reason, also where it is of some users alone', () => {
  const none = ['', 'of history:0 ', 'of history:1-9 '].map((of) => `diversity@2: ${of}no list has two items`);
  assert.deepEqual(gapsOf(findings()), ['rating_auc: of history:0 no two ratings differ', ...none]);
});

test('where nothing is held out, that is the reason', () => {
  assert.deepEqual(
    gapsOf(findings(0)),
    METRICS.map((metric) => `${metric}: nothing is held out`),
  );
});
