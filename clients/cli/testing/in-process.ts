import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Commands without processes of their own: what those cost is mostly their start. Signals, and whether a command lets its
 * process end, show only in a process.
 */

let turn: Promise<unknown> = Promise.resolve();

/** Runs a command when those before it have ended: each has what belongs to the process to itself. */
export function runHere(args: readonly string[], address: string, input: string | Buffer): Promise<Ended> {
  const end = turn.then(() => runNow(args, address, input));
  turn = end.catch(() => {});
  return end;
}

async function runNow(args: readonly string[], address: string, input: string | Buffer): Promise<Ended> {
  const { run } = await import('../program.ts');
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const printed = Promise.all([text(stdout), text(stderr)]);
  const giveBack = borrowProcess(
    { stdin: Readable.from([Buffer.from(input)], { objectMode: false }), stdout, stderr },
    address,
  );
  try {
    const code = await run(args);
    stdout.end();
    stderr.end();
    const [out, err] = await printed;
    return { code, stdout: out, stderr: err };
  } finally {
    giveBack();
  }
}

/** Puts streams in place of the process's own, and tells commands where their server is; until what it returns is called. */
function borrowProcess(streams: Record<'stdin' | 'stdout' | 'stderr', object>, address: string): () => void {
  const own = Object.getOwnPropertyDescriptors(process);
  const { exitCode, env } = process;
  const interrupts = process.listeners('SIGINT');
  for (const name of ['stdin', 'stdout', 'stderr'] as const)
    Object.defineProperty(process, name, { ...own[name], get: () => streams[name] });
  process.env = { ...env, ACCRETE_ADDRESS: address };
  process.exitCode = undefined;
  return () => {
    for (const name of ['stdin', 'stdout', 'stderr'] as const) Object.defineProperty(process, name, own[name]);
    process.env = env;
    process.exitCode = exitCode;
    for (const listener of process.listeners('SIGINT'))
      if (!interrupts.includes(listener)) process.off('SIGINT', listener);
  };
}
