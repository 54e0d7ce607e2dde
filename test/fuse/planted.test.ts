import { STREAMS, testPlanted } from './planted.ts';

/** Two seeds of the smaller stream, so that what is refused every time is so here too; `npm run test:fuse` has 20 of both. */

testPlanted([1, 2], { equalMin: 1, worseMax: 1 }, STREAMS.slice(1));
