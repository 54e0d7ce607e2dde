import { parentPort, workerData } from 'node:worker_threads';
import { Arena } from '../arena.ts';
import { OVER, SEEN, SEEN_ALL } from './threads.ts';

/** The other side of `startThread`. */

type AnyTask = (arena: Arena, data: unknown, isOver: (seen: number) => boolean) => unknown;

// A thread that only waits for a bell would end: its port keeps it.
parentPort?.ref();
const tasks = await import('./tasks.ts');
const task = tasks[workerData.task as keyof typeof tasks] as AnyTask;
const words: Int32Array = workerData.words;
const isOver = (seen: number) => {
  Atomics.store(words, SEEN, seen);
  return Atomics.load(words, OVER) === 1;
};
parentPort?.postMessage({ ready: true });
try {
  const result = await task(new Arena(workerData.memory), workerData.data, isOver);
  parentPort?.postMessage({ result });
} finally {
  Atomics.store(words, SEEN, SEEN_ALL);
  parentPort?.unref();
}
