import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Failure } from '../failure.ts';
import type { Progress } from '../progress.ts';
import { SERVER } from '../server-process.ts';

/** What a file of a store is, as `server/main.ts` prints it. */
export interface StoreFile {
  readonly revision: number;
  readonly createdMs: number;
  readonly journalFrom?: number;
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
}

interface News {
  readonly progress?: { readonly bytes: number; readonly total?: number };
  readonly done?: StoreFile;
  readonly error?: {
    readonly reason: string;
    readonly message: string;
    readonly violations?: readonly { readonly field: string; readonly description: string }[];
  };
}

export interface StoreFileTask {
  readonly flag: '--import' | '--verify';
  readonly file: string;
  /** Settings of a server: --data FOLDER. */
  readonly settings: readonly string[];
}

/** Has the server's program read a file. `onStart` is told how to cut that off. Rejects with Failure. */
export async function readStoreFile(
  { flag, file, settings }: StoreFileTask,
  progress: Progress,
  onStart: (stop: () => void) => void = () => {},
): Promise<StoreFile> {
  const fromStdin = file === '-';
  const child = spawn(process.execPath, [SERVER, flag, file, ...settings], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onStart(() => child.kill('SIGTERM'));
  child.stdin.on('error', () => {}); // it may end before it has read all
  if (fromStdin) process.stdin.pipe(child.stdin);
  else child.stdin.end();
  const startMs = performance.now();
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let outcome: News = {};
  for await (const line of createInterface({ input: child.stdout })) {
    outcome = JSON.parse(line) as News;
    if (outcome.progress) tell(outcome.progress, startMs, progress);
  }
  const code = await ended;
  progress.stop();
  if (outcome.done) return outcome.done;
  if (!outcome.error) throw new Failure('SERVER_FAILED', `the program ended with ${code}: ${stderr.trim()}`);
  const { reason, message, violations = [] } = outcome.error;
  throw new Failure(reason, message, violations);
}

function tell({ bytes, total }: NonNullable<News['progress']>, startMs: number, progress: Progress): void {
  const mib = bytes / 2 ** 20;
  const seconds = (performance.now() - startMs) / 1000;
  progress.update({ unit: 'MiB', done: mib, position: bytes, total, seconds });
}
