import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../server-process.ts';
import { type Ended, runHere } from './in-process.ts';

/** The command line, and a server to call. */

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

export type { Ended };

/** Starts `accrete ...args` as its users have it, in a process of its own, for a server at `address`. */
export function start(args: readonly string[], address = ''): ChildProcessWithoutNullStreams {
  const env = { ...process.env, ACCRETE_ADDRESS: address, NO_COLOR: '1' };
  return spawn(process.execPath, [MAIN, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Waits until a command ends. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

/** Runs `accrete ...args` in this process, with `input` on its standard input. */
export function run(args: readonly string[], address = '', input: string | Buffer = ''): Promise<Ended> {
  return runHere(args, address, input);
}

/** Runs `accrete ...args` as its users have it, with `input` on its standard input. */
export function runProcess(args: readonly string[], address?: string, input: string | Buffer = ''): Promise<Ended> {
  const child = start(args, address);
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(input);
  return ended(child);
}

/** A folder that is removed by `remove`. */
export async function makeFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'accrete-cli-'));
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

/** A server on the scale .5 to 5, with its store in `folder`. */
export function startServer(folder: string, address = '127.0.0.1:0'): Promise<ServerProcess> {
  return ServerProcess.start(folder, [
    `--listen=${address}`,
    '--metrics.listen=off',
    '--rating.min=0.5',
    '--kinds=click',
    '--models=mf,popularity',
  ]);
}

/** What a command tells programs in the end; before it there may be lines of progress, where it takes long. */
export function lastDocument(stdout: string): unknown {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}
