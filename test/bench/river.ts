import { fileURLToPath } from 'node:url';
import type { Ratings } from '../data.ts';
import { PythonPackages } from '../support/python.ts';

/** river's BiasedMF in Python's process: the peer that ingestion is measured against, in the same run. */

const FACTORS = 10;
const SEED = 1;

const VERSION = '0.26.1';
const river = new PythonPackages([`river==${VERSION}`], 'river.reco');
const script = fileURLToPath(new URL('./biased_mf.py', import.meta.url));

export interface RiverRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly events: number;
  readonly rmse: number;
}

export const RIVER = `river ${VERSION} BiasedMF k=${FACTORS}`;

/** Installs river, once; why it cannot, or false. */
export const findMissingRiver = (): string | false => river.findMissing();

/** Predicts and learns every rating. */
export function runRiver({ count, user, item, value }: Ratings): RiverRun {
  const input = Array.from({ length: count }, (_, n) => `${user[n]}\t${item[n]}\t${value[n]}`).join('\n');
  return river.run([script, String(FACTORS), String(SEED)], { input }) as RiverRun;
}
