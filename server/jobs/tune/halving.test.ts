import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRungs, rank } from './halving.ts';

test('every rung replays three times as much, with a third of the candidates', () => {
  assert.deepEqual(planRungs(32, 100_000), [
    { events: 3703, candidates: 32 },
    { events: 11_111, candidates: 10 },
    { events: 33_333, candidates: 3 },
    { events: 100_000, candidates: 1 },
  ]);
});

test('no rung is of few ratings; where there are few, all candidates replay them', () => {
  assert.deepEqual(planRungs(256, 2999), [{ events: 2999, candidates: 256 }]);
  assert.deepEqual(planRungs(9, 3000), [
    { events: 1000, candidates: 9 },
    { events: 3000, candidates: 3 },
  ]);
  assert.deepEqual(planRungs(1, 1_000_000), [{ events: 1_000_000, candidates: 1 }]);
});

test('the smallest loss is first, of equal ones the first candidate; who failed is out', () => {
  const losses = new Map([
    [0, 0.5],
    [3, 0.5],
    [1, 0.2],
    [2, undefined],
  ]);
  assert.deepEqual(rank(losses), [1, 0, 3]);
});

test('no rung is of fewer ratings than it is to be of', () => {
  assert.deepEqual(planRungs(9, 10_000, 3000), [
    { events: 3333, candidates: 9 },
    { events: 10_000, candidates: 3 },
  ]);
  assert.deepEqual(planRungs(9, 10_000, 4000), [{ events: 10_000, candidates: 9 }]);
});
