import { testPlanted } from './planted.ts';

/** Two seeds each, so that what is refused every time is so here too; `npm run test:fuse` has 20. */

testPlanted([1, 2], { equalMin: 1, worseMax: 1 });
