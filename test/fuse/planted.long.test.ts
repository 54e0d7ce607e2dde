import { testPlanted } from './planted.ts';

/** 20 seeds each: with `npm run test:fuse`. */

// By chance alone a fortieth of the equal ones is surely worse.
testPlanted(
  Array.from({ length: 20 }, (_, n) => n + 1),
  { equalMin: 15, worseMax: 2 },
);
