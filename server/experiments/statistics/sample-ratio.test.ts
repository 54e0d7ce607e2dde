import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logGamma } from './log-gamma.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { sampleRatioP } from './sample-ratio.ts';
import { Draws } from './testing/draws.ts';

test('the gamma function and the normal distribution are those of the tables', () => {
  let factorial = 0;
  for (let n = 1; n < 40; n++) {
    assert(Math.abs(logGamma(n) - factorial) < 1e-12 * Math.max(1, factorial), `${n}`);
    factorial += Math.log(n);
  }
  assert(Math.abs(logGamma(0.5) - Math.log(Math.PI) / 2) < 1e-13);
  // Abramowitz & Stegun 1964, table 26.1.
  for (const [z, p] of [
    [0, 0.5],
    [1, 0.841344746068543],
    [1.96, 0.9750021048517795],
    [-2.5, 0.006209665325776132],
    [3.5, 0.9997673709209645],
    [-5, 2.866515718791939e-7],
  ]) {
    assert(Math.abs(normalCdf(z) - p) < 1e-14, `${z}`);
    assert(Math.abs(normalQuantile(p) - z) < 1e-9, `${p}`);
  }
});

test('the factor is that of the Dirichlet-multinomial, unit by unit', () => {
  // One after the other: each arm's chance by what came before, against its share.
  const [shares, sequence] = [
    [0.5, 0.3, 0.2],
    [0, 2, 2, 1, 2, 0, 2, 2, 2, 2],
  ];
  const counts = [0, 0, 0];
  let factor = 1;
  for (const [n, arm] of sequence.entries()) {
    factor *= (100 * shares[arm] + counts[arm]) / (100 + n) / shares[arm];
    counts[arm]++;
  }
  const p = sampleRatioP([{ units: counts, shares: [5, 3, 2] }]);
  assert(Math.abs(p - Math.min(1, 1 / factor)) < 1e-9, `${p}, not ${1 / factor}`);
});

test('a split that is right is seldom called wrong, one that is wrong soon is', () => {
  const draws = new Draws(3);
  const shares = [0.6, 0.4];
  const runs = 300;
  let alarms = 0;
  for (let run = 0; run < runs; run++) {
    const units = [0, 0];
    let least = 1;
    for (let n = 1; n <= 3000; n++) {
      units[draws.uniform() < 0.6 ? 0 : 1]++;
      if (n % 20 === 0) least = Math.min(least, sampleRatioP([{ units, shares }]));
    }
    if (least < 0.05) alarms++;
  }
  assert(alarms <= 0.05 * runs, `${alarms} of ${runs}`);
  assert(sampleRatioP([{ units: [6000, 4400], shares }]) < 0.001);
  assert(sampleRatioP([{ units: [1, 1], shares: [1, 0] }]) === 0);
  // Shares that changed: by each stretch's own.
  const stretches = [
    { units: [500, 500], shares: [1, 1] },
    { units: [900, 100], shares: [9, 1] },
  ];
  assert(sampleRatioP(stretches) > 0.5);
  assert(sampleRatioP([{ units: [1400, 600], shares: [1, 1] }]) < 1e-9);
});
