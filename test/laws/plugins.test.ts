import { putToLaws } from './put-to-laws.ts';

/** The short form of `npm run test:models`: the defaults, and some of all configurations. */
await putToLaws(10);
