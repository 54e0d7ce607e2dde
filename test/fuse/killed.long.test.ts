import { ALL_PHASES, testKilled, testStopped } from './killed.ts';

/** Every phase of a promotion: with `npm run test:fuse`. */

for (const phase of ALL_PHASES) testKilled(phase);
testStopped(['refit', 'replay', 'join', 'keep']);
