import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Failure } from './failure.ts';

/** The server's program. */
export const SERVER = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

/** Lines of its log that are kept to tell why it did not start. */
const LOG_LINES_MAX = 20;

/** A server in a process of its own. */
export class ServerProcess {
  /** Where it listens. */
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
  }

  /**
   * Starts a server in `folder`, with these flags and nothing from this process's configuration; resolves when it listens.
   * Rejects with Failure when it ends before that.
   */
  static async start(folder: string, flags: readonly string[]): Promise<ServerProcess> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ACCRETE_')));
    const child = spawn(process.execPath, [SERVER, ...flags], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const log: string[] = [];
    const lines = createInterface({ input: child.stderr });
    const address = await new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        if (log.push(line) > LOG_LINES_MAX) log.shift();
        const address = findAddress(line);
        if (address) resolve(address);
      });
      child.once('error', reject);
      child.once('close', (code) =>
        reject(new Failure('SERVER_FAILED', `the server ended with ${code}:\n${log.join('\n')}`)),
      );
    });
    return new ServerProcess(child, address);
  }

  /** Sends a signal and resolves with the exit code, or the signal, that it ended with. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return exitCode ?? signalCode;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const [code, endSignal] = await ended;
    return code ?? endSignal;
  }
}

/** The address in the line of the log that tells it. */
function findAddress(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const { msg, grpc } = JSON.parse(line) as { msg?: string; grpc?: string };
  return msg === 'listening' ? grpc : undefined;
}
