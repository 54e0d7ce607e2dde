import { test } from 'node:test';
import { budgetOf } from './budget.ts';
import { fuzzBodies, fuzzConnections, fuzzFrames } from './wire/run.ts';

/** The live port under bytes of any sort, for a moment; `npm run test:fuzz` does it for longer. */

const timeout = 60_000;

test('messages that are wrong', { timeout }, (t) => fuzzBodies(t, budgetOf(t, 150, false)));
test('calls that are wrong', { timeout }, (t) => fuzzFrames(t, budgetOf(t, 100, false)));
test('connections that are wrong', { timeout }, (t) => fuzzConnections(t, budgetOf(t, 1, false)));
