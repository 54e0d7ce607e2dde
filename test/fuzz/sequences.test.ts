import { test } from 'node:test';
import { budgetOf } from './budget.ts';
import { runSequences } from './sequences/run.ts';
import { startHere } from './sequences/system.ts';

/** Calls of every sort in any order, with restarts and crashes: a moment of what `npm run test:fuzz` does for longer. */

test('any sequence of calls', { timeout: 240_000 }, (t) => runSequences(startHere, budgetOf(t, 6, false), 30));
