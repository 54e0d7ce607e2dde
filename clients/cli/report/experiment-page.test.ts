import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AllocationMethod, GetExperimentResponse } from '../../../proto/gen/accrete/v1/experiment.ts';
import { renderExperimentPage } from './experiment-page.ts';

const HOSTILE = `</td><script>alert("1")</script>`;

function answerOf(arm = 'candidate', points = 40): GetExperimentResponse {
  const difference = (n: number, metric = 'conversion') => ({
    ...{ model: 'als', baseline: 'mf', metric, window: 'total', count: BigInt(100 * (n + 1)) },
    ...{
      value: 0.01234,
      lower: n < 3 ? undefined : 0.012 - 1 / (n + 1),
      upper: n < 3 ? undefined : 0.013 + 1 / (n + 1),
    },
  });
  const { baseline: _, ...figure } = difference(9);
  return GetExperimentResponse.fromPartial({
    experiment: {
      name: arm,
      primaryMetric: 'conversion',
      arms: [
        { name: 'control', model: 'mf' },
        { name: arm, model: 'als' },
      ],
    },
    report: {
      verdict: `${arm} is better`,
      winner: arm,
      sampleRatioP: 0.5,
      caveats: [`with ${arm}`],
      revision: '00000000000000000042',
      arms: [
        { arm: 'control', exposures: 10n, units: 5n, metrics: [figure] },
        {
          arm,
          exposures: 10n,
          units: 5n,
          metrics: [figure],
          differences: [difference(39), difference(39, 'rmse')],
        },
      ],
      points: Array.from({ length: points }, (_, n) => ({
        time: { seconds: BigInt(1_700_000_000 + 600 * n), nanos: 0 },
        arm,
        differences: [difference(n), difference(n, 'rmse')],
      })),
    },
  });
}

test('the band over time, the verdict, and every number of a chart in a table', () => {
  const page = renderExperimentPage(answerOf());
  assert.match(page, /candidate is better/);
  assert.match(page, /<h2>conversion over time<\/h2>/);
  assert.equal(page.match(/<polygon class="band"/g)?.length, 2);
  assert.match(page, /hours since 2023-11-14 22:13 UTC/);
  assert.match(page, /<td class="number">-0.0130 to 0.0380<\/td>/);
  assert.match(page, /<th scope="row">6.50<\/th>/);
  assert.doesNotMatch(page, /NaN|Infinity|undefined|\[object/);
});

test('of lists that both arms drafted, the preference is what decides', () => {
  const answer = answerOf();
  assert(answer.experiment);
  answer.experiment.allocation = AllocationMethod.ALLOCATION_METHOD_INTERLEAVE;
  assert(answer.report);
  for (const { differences } of [...answer.report.arms, ...answer.report.points])
    for (const row of differences) if (row.metric === 'rmse') row.metric = 'preference';
  const page = renderExperimentPage(answer);
  assert.match(page, /<h2>preference over time<\/h2>/);
  assert.match(page, /<summary>conversion<\/summary>/);
});

test('it needs nothing from elsewhere, and names are text', () => {
  const page = renderExperimentPage(answerOf(HOSTILE));
  assert.doesNotMatch(page, /<script|\b(src|href)\s*=|url\(|https?:/i);
  assert.match(page, /Content-Security-Policy/);
  assert.equal(page, renderExperimentPage(answerOf(HOSTILE)));
});

test('before anything is known there is a page, too', () => {
  for (const page of [
    renderExperimentPage(answerOf('b', 0)),
    renderExperimentPage(answerOf('b', 1)),
    renderExperimentPage(GetExperimentResponse.fromPartial({})),
  ])
    assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});
