import { testKilled, testStopped } from '../fuse/killed.ts';

/** The phases that change what is on disk; `npm run test:fuse` goes through all. */

testKilled('join');
testKilled('keep');
testStopped(['replay']);
