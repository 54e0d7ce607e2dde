import { test } from 'node:test';
import { budgetOf } from './budget.ts';
import { fuzzBodies, fuzzConnections, fuzzFrames } from './wire/run.ts';

/** The live port under bytes of any sort, for long. */

const timeout = 1_800_000;

test('messages that are wrong', { timeout }, (t) => fuzzBodies(t, budgetOf(t, 30_000, true)));
test('calls that are wrong', { timeout }, (t) => fuzzFrames(t, budgetOf(t, 5000, true)));
test('connections that are wrong', { timeout }, (t) => fuzzConnections(t, budgetOf(t, 20, true), 5));
