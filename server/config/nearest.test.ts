import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, findNearest } from './nearest.ts';
import { findNearestPath, findNearestVariable } from './settings.ts';

const cases: [slip: string, name: string, known: string[], nearest: string][] = [
  ['a letter left out', 'lisen', ['data', 'listen'], 'listen'],
  ['a letter added', 'dataa', ['listen', 'data'], 'data'],
  ['a letter changed', 'kata', ['late', 'data'], 'data'],
  // Without swaps both are two slips away, and the first would win.
  ['two letters swapped', 'dtaa', ['dead', 'data'], 'data'],
  ['another case', 'LISTEN', ['A', 'listen'], 'listen'],
  ['nothing alike: the first of the nearest', 'x', ['ab', 'cd'], 'ab'],
  ['an empty name', '', ['long', 'a'], 'a'],
];

for (const [slip, name, known, nearest] of cases) {
  test(`${slip}: ${name} is nearest to ${nearest}`, () => assert.equal(findNearest(name, known), nearest));
}

test('a key without its section, or under another, is found', () => {
  assert.equal(findNearestPath('rankEvery'), 'evaluation.rankEvery');
  assert.equal(findNearestPath('budgetMib'), 'memory.budgetMiB');
  assert.equal(findNearestPath('metric.lisen'), 'metrics.listen');
  assert.equal(findNearestVariable('ACCRETE_RANK_EVRY'), 'ACCRETE_EVALUATION_RANK_EVERY');
});

test('a full name goes before the end of a longer one', () => {
  assert.equal(findNearestPath('listn'), 'listen');
});

test('only what is likely is asked back', () => {
  assert.equal(didYouMean('halflife', ['seed', 'halfLifeDays']), 'did you mean halfLifeDays? ');
  assert.equal(didYouMean('mff', ['mf', 'popularity']), 'did you mean mf? ');
  assert.equal(didYouMean('factors', ['seed', 'k', 'eta']), '');
});
