import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerProcess } from './server-process.ts';

const { error } = spawnSync('prlimit', ['--version']);

/** Why tests that fill the disk cannot run here; false: they can. */
export const skip = error ? `the disk is filled by the command prlimit: ${error.message}` : false;

/** Lets no file of a process grow beyond so many bytes: what a write meets then is much the same as a full disk. */
export function limitFiles({ pid }: ServerProcess, bytes: number | 'unlimited'): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}

/** How large the journal of a server is now. */
export function journalBytes({ data }: ServerProcess): number {
  const folder = join(data, 'journal');
  const [link] = readdirSync(folder).filter((name) => name.endsWith('.mdb'));
  return statSync(join(folder, link)).size;
}
