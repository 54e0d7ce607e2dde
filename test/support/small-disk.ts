import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk in memory of a few MiB, for what happens when one is full. */

function mount(path: string, mib: number): string | undefined {
  const { error, status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'none', path], {
    encoding: 'utf8',
  });
  return error ? error.message : status === 0 ? undefined : stderr.trim();
}

/** Why there can be none here; false: there can. */
export const noSmallDisk = findWhy();

function findWhy(): string | false {
  const path = mkdtempSync(join(tmpdir(), 'accrete-mount-'));
  const why = mount(path, 1);
  if (why === undefined) spawnSync('umount', [path]);
  rmSync(path, { recursive: true });
  return why === undefined ? false : `a small disk takes the right to mount: ${why}`;
}

/** Runs `use` while there is one at `path`. */
export async function onSmallDisk(path: string, mib: number, use: () => Promise<void>): Promise<void> {
  mkdirSync(path, { recursive: true });
  const why = mount(path, mib);
  if (why) throw new Error(why);
  try {
    await use();
  } finally {
    spawnSync('umount', ['-l', path]);
  }
}

export function enlarge(path: string, mib: number): void {
  spawnSync('mount', ['-o', `remount,size=${mib}m`, path]);
}
