import { fileURLToPath } from 'node:url';
import type { Ratings } from '../data.ts';
import { PythonPackage } from './python.ts';

/** river's BiasedMF in Python's process: the peer that ingestion is measured against, in the same run. */

const FACTORS = 10;
const SEED = 1;

const river = new PythonPackage('river', '0.26.1', 'river.reco');
const script = fileURLToPath(new URL('./biased_mf.py', import.meta.url));

export interface RiverRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly events: number;
  readonly rmse: number;
}

export const RIVER = `river ${river.version} BiasedMF k=${FACTORS}`;

/** Installs river into the cache, once; why it cannot, or undefined. */
export const installRiver = (): string | undefined => river.install();

/** Predicts and learns every rating. */
export function runRiver({ count, user, item, value }: Ratings): RiverRun {
  const input = Array.from({ length: count }, (_, n) => `${user[n]}\t${item[n]}\t${value[n]}`).join('\n');
  return river.run(script, [String(FACTORS), String(SEED)], input) as RiverRun;
}
