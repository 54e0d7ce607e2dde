import { test } from 'node:test';
import { budgetOf } from './budget.ts';
import { runSequences } from './sequences/run.ts';
import { startApart, startHere } from './sequences/system.ts';

/** Calls of every sort in any order, with restarts and crashes, for long. */

const timeout = 3_000_000;
const size = { maxCommands: 60, timeoutMs: timeout };

test('any sequence of calls', { timeout }, (t) => runSequences(startHere, budgetOf(t, 300, true), size));
test('any sequence of calls, with SIGKILL', { timeout }, (t) => runSequences(startApart, budgetOf(t, 50, true), size));
