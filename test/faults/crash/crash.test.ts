import { test } from 'node:test';
import { crashRounds } from './rounds.ts';

/** Killed while many clients stream, five times: nothing that was acknowledged is lost or doubled. */

test('five crashes', { timeout: 120_000 }, (t) => crashRounds(t, 5));
