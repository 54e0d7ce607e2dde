import { test } from 'node:test';
import { budgetOf } from './budget.ts';
import { runSequences } from './sequences/run.ts';
import { startHere } from './sequences/system.ts';

/** Calls of every sort in any order, with restarts and crashes: a moment of what `npm run test:fuzz` does for longer. */

const timeout = 240_000;

test('any sequence of calls', { timeout }, (t) =>
  runSequences(startHere, budgetOf(t, 4, false), { maxCommands: 30, timeoutMs: timeout }),
);
