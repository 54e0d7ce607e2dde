import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../support/server-process.ts';
import { makeFolder, type Scope } from '../../support/temporary-folder.ts';

/** Libraries that stand between a server and its system: its disk fails, or its clock jumps, when a test says so. */

const FOLDER = join(ROOT, 'build', 'faults');
const LIBRARIES = ['disk', 'clock'] as const;

/** Why they cannot be used here; false: they can. */
export const skip = build();

/** For the environment of a server. */
export class Faults {
  readonly #folder: string;

  constructor(scope: Scope) {
    this.#folder = makeFolder(scope);
  }

  get env(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARIES.map(libraryOf).join(' '),
      FAULT_PATH: '/data/journal/',
      FAULT_FLAG: this.#path('disk'),
      CLOCK_OFFSET: this.#path('clock'),
    };
  }

  /** From now on the journal's disk fails with an error of the system, such as EIO, or takes longer, or both. */
  disk(
    calls: 'write' | 'sync' | 'all',
    { code, delayMs = 0 }: { code?: 'EIO' | 'ENOSPC' | 'EROFS'; delayMs?: number },
  ) {
    this.#put('disk', `${code ? constants.errno[code] : 0} ${delayMs} ${calls}`);
  }

  /** The disk is as it was. */
  mend(): void {
    rmSync(this.#path('disk'), { force: true });
  }

  /** From now on the clock of the day is so many seconds ahead of the true one; behind it when they are negative. */
  clock(seconds: number): void {
    this.#put('clock', String(seconds));
  }

  /** Whole, or not at all: the server reads at any moment. */
  #put(name: string, text: string): void {
    writeFileSync(this.#path(`${name}.new`), text);
    renameSync(this.#path(`${name}.new`), this.#path(name));
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

function libraryOf(name: (typeof LIBRARIES)[number]): string {
  return join(FOLDER, `${name}.so`);
}

function build(): string | false {
  if (process.platform !== 'linux') return 'LD_PRELOAD is of Linux';
  mkdirSync(FOLDER, { recursive: true });
  for (const name of LIBRARIES) {
    const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
    const draft = `${libraryOf(name)}.${process.pid}`;
    const flags = ['-shared', '-fPIC', '-O2', '-o', draft, source, '-ldl'];
    const { error, status, stderr } = spawnSync('cc', flags, { encoding: 'utf8' });
    if (error) return `the libraries of ${FOLDER} are built by cc: ${error.message}`;
    if (status !== 0) return `cc cannot build ${source}: ${stderr.trim().split('\n').at(-1)}`;
    renameSync(draft, libraryOf(name));
  }
  return false;
}
