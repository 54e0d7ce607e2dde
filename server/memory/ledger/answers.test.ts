import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../arena.ts';
import { Reclaimer } from '../readers.ts';
import { Answers } from './answers.ts';

test('how long answers are kept is told by two that are known, and by no other', () => {
  const arena = Arena.create(8 * 2 ** 20);
  const reclaimer = new Reclaimer(arena);
  const answers = Answers.create(arena);
  answers.reserve(reclaimer, 4);
  const add = (sequence: number) =>
    answers.add(
      {
        ...{ run: 1, sequence, experiment: 1, user: { low: 1, high: 0 }, unit: 0, atMs: 1000 * sequence },
        ...{ items: [1], teams: undefined, weight: 1 },
      },
      reclaimer,
    );
  for (const sequence of [1, 2, 3]) add(sequence);
  assert.equal(answers.keptMs, undefined);
  for (const sequence of [4, 5]) add(sequence);
  assert.equal(answers.keptMs, 3000);
  answers.forget(5);
  assert.equal(answers.keptMs, undefined);
  for (const sequence of [6, 7, 8]) add(sequence);
  assert.equal(answers.keptMs, undefined);
  add(9);
  assert.equal(answers.keptMs, 3000);
});
