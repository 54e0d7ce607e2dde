import { test } from 'node:test';
import { PHASES } from './phases.ts';
import { crashRounds } from './rounds.ts';

/** Killed while many clients stream, five times: nothing that was acknowledged is lost or doubled. */

const AIMS = ['journal rotation', 'load', 'checkpoint', 'promotion', 'forgetting'];
const aims = AIMS.flatMap((name) => PHASES.filter((phase) => phase.name === name));

test('five crashes', { timeout: 120_000 }, (t) => crashRounds(t, AIMS.length, aims));
