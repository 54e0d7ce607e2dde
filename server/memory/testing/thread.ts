import { parentPort, workerData } from 'node:worker_threads';
import { Arena } from '../arena.ts';

/** The other side of `startThread`. */

type AnyTask = (arena: Arena, data: unknown, stopped: () => boolean) => unknown;

// A thread that only waits for a bell would end: its port keeps it.
parentPort?.ref();
const tasks = await import('./tasks.ts');
const task = tasks[workerData.task as keyof typeof tasks] as AnyTask;
const arena = new Arena(workerData.memory);
const stop: Int32Array = workerData.stop;
parentPort?.postMessage({ ready: true });
const result = await task(arena, workerData.data, () => Atomics.load(stop, 0) === 1);
parentPort?.postMessage({ result });
parentPort?.unref();
