import { Worker } from 'node:worker_threads';
import type { Arena } from '../arena.ts';
import type * as tasks from './tasks.ts';

/** Runs a task of `tasks.ts` in a thread of its own, over the memory of an arena. */

type Tasks = typeof tasks;
type TaskName = keyof Tasks;

/** Words that both sides share: whether the test is over, and how much the task has seen. */
export const OVER = 0;
export const SEEN = 1;
/** What a task that has ended, for whatever reason, has seen: so that nobody waits for more. */
export const SEEN_ALL = 0x7fff_ffff;

export interface Thread<Result> {
  /** How much the task has seen so far. */
  readonly seen: number;
  /** What the task returns; rejects with what it throws. */
  readonly result: Promise<Result>;
  /** Says that the test is over, and waits for the result. */
  finish(): Promise<Result>;
}

/** Resolves when the task is about to begin. */
export async function startThread<Name extends TaskName>(
  arena: Arena,
  task: Name,
  data: Parameters<Tasks[Name]>[1],
): Promise<Thread<Awaited<ReturnType<Tasks[Name]>>>> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: { memory: arena.memory, task, data, words },
  });
  const ready = Promise.withResolvers<void>();
  const result = new Promise<Awaited<ReturnType<Tasks[Name]>>>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message) => ('result' in message ? resolve(message.result) : ready.resolve()));
  });
  await Promise.race([ready.promise, result]);
  return {
    get seen() {
      return Atomics.load(words, SEEN);
    },
    result,
    finish() {
      Atomics.store(words, OVER, 1);
      return result;
    },
  };
}
