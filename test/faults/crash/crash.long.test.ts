import { test } from 'node:test';
import { crashRounds } from './rounds.ts';

/** The same as crash.test.ts, more often. */

const ROUNDS = Number(process.env.FAULTS_ROUNDS || 100);

test(`${ROUNDS} crashes`, { timeout: 3_600_000 }, (t) => crashRounds(t, ROUNDS));
