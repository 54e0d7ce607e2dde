import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JobProgress, Meter } from './meter.ts';

function makeMeter() {
  const told: JobProgress[] = [];
  const clock = { ms: 0 };
  return {
    told,
    clock,
    meter: new Meter(
      (progress) => told.push(progress),
      () => clock.ms,
    ),
  };
}

test('progress is told at the start, and then twice a second however much happens', () => {
  const { told, clock, meter } = makeMeter();
  meter.begin('replay', 'records', 1000);
  assert.deepEqual(told, [{ phase: 'replay', unit: 'records', completed: 0, total: 1000, remainingMs: undefined }]);
  for (clock.ms = 0; clock.ms < 999; clock.ms++) meter.add();
  assert.equal(told.length, 2);
  meter.begin('measure', 'ratings', 10);
  assert.equal(told.length, 2);
  clock.ms = 1000;
  meter.add(3);
  assert.deepEqual([told[2].phase, told[2].completed, told[2].total], ['measure', 3, 10]);
});

test('the time left is that of the phase at its pace so far, and of those after it', () => {
  const { told, clock, meter } = makeMeter();
  meter.begin('replay', 'records', 100, 7000);
  clock.ms = 1000;
  meter.add(25);
  assert.equal(told[1].remainingMs, 3000 + 7000);
  meter.laterMs = undefined;
  clock.ms = 2000;
  meter.add(25);
  assert.equal(told[2].remainingMs, undefined);
  meter.begin('measure', 'ratings', 0);
  clock.ms = 3000;
  meter.add(5);
  assert.equal(told[3].completed, 0);
});
