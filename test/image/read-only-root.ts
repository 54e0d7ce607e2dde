import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Exit } from '../support/server-process.ts';
import type { Scope } from '../support/temporary-folder.ts';

/**
 * An image's files as Kubernetes mounts them with `readOnlyRootFilesystem`: nothing can be written but the volumes. buildah
 * has no such option in a chroot, so the mounts are made here, in a namespace that ends with the command.
 */

/** Arguments: the root, its user, then pairs of a folder and where it appears, `--`, then the command with its variables. */
const SCRIPT = `set -e
root=$1 user=$2; shift 2
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --bind /dev "$root/dev"
while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; shift 2; done
shift
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user:$user" "$root" env --ignore-environment --chdir=/app "$@"`;

export class ReadOnlyRoot {
  readonly #args: readonly string[];

  /** `volumes`: folders of this machine by where they appear. */
  constructor(root: string, user: string, volumes: Readonly<Record<string, string>>, env: readonly string[]) {
    const mounts = Object.entries(volumes).flatMap(([place, folder]) => {
      mkdirSync(join(root, place), { recursive: true });
      return [folder, place];
    });
    this.#args = ['--mount', '--propagation', 'private', 'sh', '-c', SCRIPT, 'sh', root, user, ...mounts, '--', ...env];
  }

  /** Runs a command to its end: its exit code, and what it wrote. */
  run(...command: readonly string[]): { code: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync('unshare', [...this.#args, ...command], { encoding: 'utf8' });
    return { code: status, output: stdout + stderr };
  }

  /** Begins a command, which is the process itself. */
  begin(scope: Scope, ...command: readonly string[]): { child: ChildProcess; exited: Promise<Exit> } {
    const child = spawn('unshare', [...this.#args, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
    const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
    scope.after(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    return { child, exited };
  }
}
