import { putToLaws } from './put-to-laws.ts';

await putToLaws(1);
