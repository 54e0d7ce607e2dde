import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Ratings } from '../data.ts';
import { CACHE } from './cache.ts';

/** river's BiasedMF in Python's process: the peer that ingestion is measured against, in the same run. */

const VERSION = '0.26.1';
const FACTORS = 10;
const SEED = 1;

const folder = `${CACHE}/river-${VERSION}`;
const python = `${folder}/bin/python`;
const script = fileURLToPath(new URL('./biased_mf.py', import.meta.url));

export interface RiverRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly events: number;
  readonly rmse: number;
}

export const RIVER = `river ${VERSION} BiasedMF k=${FACTORS}`;

/** Installs river into the cache, once; why it cannot, or undefined. */
export function installRiver(): string | undefined {
  if (runs(python, ['-c', 'import river.reco']) === undefined) return undefined;
  if (!existsSync(python)) console.log(`  installing river ${VERSION} ...`);
  return (
    runs('python3', ['-m', 'venv', '--clear', folder]) ??
    runs(python, ['-m', 'pip', 'install', '--quiet', `river==${VERSION}`])
  );
}

/** Predicts and learns every rating. */
export function runRiver({ count, user, item, value }: Ratings): RiverRun {
  const input = Array.from({ length: count }, (_, n) => `${user[n]}\t${item[n]}\t${value[n]}`).join('\n');
  const { status, stdout, stderr } = spawnSync(python, [script, String(FACTORS), String(SEED)], {
    input,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`river failed: ${stderr}`);
  return JSON.parse(stdout) as RiverRun;
}

/** Why a command failed, or undefined. */
function runs(command: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) return error.message;
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`;
}
