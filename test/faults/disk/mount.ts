import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from '../../support/temporary-folder.ts';

/** Small disks of their own, in memory. */

export class SmallDisk {
  readonly folder: string;

  /** Gone when the scope ends, also while it is used. */
  constructor(scope: Scope, mib: number) {
    this.folder = mkdtempSync(join(tmpdir(), 'accrete-disk-'));
    scope.after(() => {
      spawnSync('umount', ['--lazy', this.folder]);
      rmdirSync(this.folder);
    });
    run('mount', '-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', this.folder);
  }

  /** With another size, and to be written. */
  resize(mib: number): void {
    run('mount', '-o', `remount,rw,size=${mib}m`, this.folder);
  }

  /** Nothing can be written on it from now on, also by root. */
  makeReadOnly(): void {
    run('mount', '-o', 'remount,ro', this.folder);
  }
}

/** Why none can be mounted here; false: they can. */
export const skip = findObstacle();

function run(command: string, ...args: string[]): void {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error ?? status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

function findObstacle(): string | false {
  const ends: (() => unknown)[] = [];
  try {
    new SmallDisk({ after: (end) => ends.push(end) }, 1);
    return false;
  } catch (error) {
    return `a small disk is mounted, which is not possible here: ${(error as Error).message.trim()}`;
  } finally {
    for (const end of ends) end();
  }
}
