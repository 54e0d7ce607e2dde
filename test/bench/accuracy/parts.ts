import type { Bench } from './cases.ts';
import { measureFolds } from './folds.ts';
import { measureGrouped } from './grouped.ts';
import { measureHalves } from './halves.ts';
import { measureSampled } from './sampled.ts';
import { measureStreams } from './streams.ts';

/** What can be measured, by name, and for how much of all the time that it takes. */
export const PARTS: Readonly<Record<string, { readonly share: number; measure(bench: Bench): Promise<void> }>> = {
  halves: { share: 0.05, measure: measureHalves },
  folds: { share: 0.1, measure: measureFolds },
  sampled: { share: 0.1, measure: measureSampled },
  streams: { share: 0.35, measure: measureStreams },
  grouped: { share: 0.4, measure: measureGrouped },
};
