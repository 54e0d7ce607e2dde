import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../memory/arena.ts';
import { Ledger } from '../memory/ledger/ledger.ts';
import { Reclaimer } from '../memory/readers.ts';
import { CUTS_MAX, type Experiment } from '../store/experiment.ts';
import { readMoments } from './arm-moments.ts';
import { changeExperiment, makeExperiment, reweigh, stopArm } from './making.ts';
import { RATIO_P_MIN } from './report.ts';
import { sampleRatioP } from './statistics/sample-ratio.ts';
import { WANTED } from './testing/wanted.ts';

/** What the ledger says of units, and of the split, while shares change. */

const ARMS = [...WANTED.arms, { name: 'c', model: 'mean', weight: 1 }];
const START = 1000;
const made = makeExperiment({ ...WANTED, arms: ARMS }, new Map(), START);

/** A ledger of units that came so. */
function ledgerOf(came: readonly { readonly arm: number; readonly atMs: number }[]): Ledger {
  const arena = Arena.create(8 * 2 ** 20);
  const ledger = new Ledger(arena, Ledger.create(arena));
  const reclaimer = new Reclaimer(arena);
  for (const [n, { arm, atMs }] of came.entries()) {
    const { row } = ledger.units.obtain(made.number, { low: n + 1, high: 0 }, arm, reclaimer);
    ledger.units.add(row, 'exposures');
    ledger.units.set(row, 'firstMs', atMs);
  }
  return ledger;
}

/** As many of each of these arms at that time. */
const evenly = (arms: readonly number[], atMs: number, each = 300) =>
  Array.from({ length: each * arms.length }, (_, n) => ({ arm: arms[n % arms.length], atMs }));

function read(ledger: Ledger, experiment: Experiment) {
  for (const steps = readMoments(ledger, experiment); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

test('units that are on their way when their arm is stopped are no broken split; those that still come are', () => {
  const stopped = stopArm(made, 'b', 'is worse', START + 100);
  const before = evenly([0, 1, 2], START);
  const after = evenly([0, 0, 2], START + 200);
  const late = { arm: 1, atMs: START + 101 };
  const found = read(ledgerOf([...before, ...after, late]), stopped);
  assert.equal(found.units, before.length + after.length + 1);
  assert.deepEqual(
    found.arrivals.map(({ units }) => units),
    [
      [300, 301, 300],
      [600, 0, 300],
    ],
  );
  assert.ok(sampleRatioP(found.arrivals) > 0.5);
  const broken = read(ledgerOf([...before, ...evenly([0, 1, 2], START + 200)]), stopped);
  assert.ok(sampleRatioP(broken.arrivals) < RATIO_P_MIN);
});

test('the split is judged by the cuts that are kept alone', () => {
  const uneven = reweigh(made, [8, 1, 1], START + 1);
  let experiment = uneven;
  for (let n = 0; n < CUTS_MAX; n++) experiment = reweigh(experiment, [1, 1, 1], START + 100 + n);
  assert.equal(experiment.cuts.length, CUTS_MAX);
  const came = [...evenly([0, 0, 0, 0, 0, 0, 0, 0, 1, 2], START + 1), ...evenly([0, 1, 2], START + 2000)];
  const found = read(ledgerOf(came), experiment);
  assert.equal(found.units, came.length);
  assert.deepEqual(found.arrivals.at(-1)?.units, [300, 300, 300]);
  assert.ok(sampleRatioP(found.arrivals) > 0.5);
});

test('an arm that is added while its experiment is read is read the next time', () => {
  const arms = [...ARMS, { name: 'd', model: 'mf', weight: 1 }];
  const more = changeExperiment(made, { ...WANTED, arms }, ['arms'], new Map([['first', made]]), START + 50);
  const ledger = ledgerOf(evenly([0, 1, 2, 3], START + 60, 10));
  assert.deepEqual(
    [made, more].map((experiment) => read(ledger, experiment).arms.map(({ units }) => units)),
    [
      [10, 10, 10],
      [10, 10, 10, 10],
    ],
  );
});
