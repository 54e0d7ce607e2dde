import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from '../support/server-process.ts';
import type { Scope } from '../support/temporary-folder.ts';
import type { Buildah } from './buildah.ts';

/** The command of an image, running. Signals go to that command itself, as an engine sends them to process 1. */
export class RunningContainer {
  readonly exited: Promise<Exit>;
  /** All that it wrote to standard error so far. */
  stderr = '';
  readonly #child: ChildProcess;

  /** `options` are those of `buildah run`. */
  constructor(
    scope: Scope,
    buildah: Buildah,
    container: string,
    options: readonly string[],
    command: readonly string[],
  ) {
    this.#child = buildah.spawn('run', '--isolation', 'chroot', ...options, container, '--', ...command);
    if (this.#child.stderr) {
      createInterface({ input: this.#child.stderr }).on('line', (line) => (this.stderr += `${line}\n`));
    }
    this.exited = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }));
    scope.after(async () => {
      if (this.#child.exitCode === null) process.kill(this.pid, 'SIGKILL');
      await this.exited;
    });
  }

  /** The command, which is what buildah's processes have come to in the end. */
  get pid(): number {
    let pid = this.#child.pid as number;
    for (let [child] = childrenOf(pid); child !== undefined; [child] = childrenOf(pid)) pid = child;
    return pid;
  }

  /** The line of the command and its first arguments. */
  get commandLine(): string[] {
    return readFileSync(`/proc/${this.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  }

  /** Waits for a line of its log; throws when it ends without it. */
  async said(message: string): Promise<void> {
    const ended = this.exited.then((exit) => JSON.stringify(exit));
    while (!this.stderr.includes(`"msg":"${message}"`)) {
      const why = await Promise.race([ended, sleep(20)]);
      if (why) throw new Error(`the container ended (${why}) and never said ${message}:\n${this.stderr}`);
    }
  }

  /** Asks the command to stop, and waits for its end. */
  stop(): Promise<Exit> {
    process.kill(this.pid, 'SIGTERM');
    return this.exited;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
}
