import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { AccreteError } from '../../errors.ts';
import { serveJob } from '../serve-job.ts';

/** Jobs of the kinds that a test needs, in a thread. `made` counts the items, for the other side to see. */
const { task, made } = workerData as { task: { does: string; count: number }; made: Int32Array };
const port = parentPort as MessagePort;

function* work(): Generator<number> {
  if (task.does === 'spin') for (;;);
  if (task.does === 'warn') port.postMessage({ type: 'warning', what: 'nothing' });
  for (let n = 0; n < task.count; n++) {
    Atomics.add(made, 0, 1);
    port.postMessage({ type: 'progress', progress: { phase: 'count', completed: n } });
    yield n;
  }
  if (task.does === 'refuse')
    throw new AccreteError('STORE_DAMAGED', 'revision 3 is damaged', { metadata: { revision: '3' } });
  if (task.does === 'fail') throw new TypeError('a mistake');
  if (task.does === 'exit') process.exit();
}

serveJob(port, work());
