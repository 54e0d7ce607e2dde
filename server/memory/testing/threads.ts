import { Worker } from 'node:worker_threads';
import type { Arena } from '../arena.ts';
import type * as tasks from './tasks.ts';

/** Runs a task of `tasks.ts` in a thread of its own, over the memory of an arena. */

type Tasks = typeof tasks;
type TaskName = keyof Tasks;

export interface Thread<Result> {
  /** What the task returns; rejects with what it throws. */
  readonly result: Promise<Result>;
  /** Asks the task to end, and waits for its result. */
  finish(): Promise<Result>;
}

/** Resolves when the thread is about to begin. */
export async function startThread<Name extends TaskName>(
  arena: Arena,
  task: Name,
  data: Parameters<Tasks[Name]>[1],
): Promise<Thread<Awaited<ReturnType<Tasks[Name]>>>> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: { memory: arena.memory, task, data, stop },
  });
  const ready = Promise.withResolvers<void>();
  const result = new Promise<Awaited<ReturnType<Tasks[Name]>>>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message) => ('result' in message ? resolve(message.result) : ready.resolve()));
  });
  await Promise.race([ready.promise, result]);
  const finish = () => {
    Atomics.store(stop, 0, 1);
    return result;
  };
  return { result, finish };
}
