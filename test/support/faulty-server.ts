import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../server/config/schema.ts';
import { ROOT, ServerProcess } from './server-process.ts';
import { makeFolder, type Scope } from './temporary-folder.ts';

/** A server that ends, or whose disk fails, at one call of a function of `node:fs` in one of its threads. */

export interface Fault {
  readonly function: 'rename' | 'writeFile' | 'rmSync';
  /** A pattern of one of the arguments. */
  readonly path: string;
  /** "main", "learner", or the kind of a job. */
  readonly thread: string;
  /** Which call, since the fault was armed. */
  readonly nth?: number;
  /** The process ends when the call is made, not before. */
  readonly after?: boolean;
  /** The call fails with this, and so does every later one, until the fault is mended; otherwise the process is killed. */
  readonly code?: 'ENOSPC' | 'EIO';
  /** The file that says what is to happen. */
  readonly flag: string;
}

export class FaultyServer {
  readonly server: ServerProcess;
  readonly #flag: string;

  private constructor(server: ServerProcess, flag: string) {
    this.server = server;
    this.#flag = flag;
  }

  static async start(scope: Scope, config: ConfigInput, fault: Omit<Fault, 'flag'>): Promise<FaultyServer> {
    const flag = join(makeFolder(scope), 'fault');
    writeFileSync(flag, '');
    const hook = join(ROOT, 'test/support/fault-hook.ts');
    const command = [process.execPath, '--import', hook, join(ROOT, 'server/main.ts')];
    const env = { TEST_FAULT: JSON.stringify({ ...fault, flag }) };
    return new FaultyServer(await ServerProcess.start(scope, config, { command, env }), flag);
  }

  arm(): void {
    writeFileSync(this.#flag, 'armed');
  }

  mend(): void {
    writeFileSync(this.#flag, '');
  }

  /** Whether the process was killed where it should be. */
  get wasHit(): boolean {
    return readFileSync(this.#flag, 'utf8') === 'hit';
  }
}
