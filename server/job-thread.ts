import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { composeJob, JOB_CONTEXT } from './container/job.ts';
import { AccreteError } from './errors.ts';
import type { JobNews, JobStart } from './jobs/messages.ts';
import { serveJob } from './jobs/serve-job.ts';
import { beginWork } from './jobs/work.ts';

/** The entry of a thread that works beside the stream. */

const port = parentPort as MessagePort;
const start = workerData as JobStart;
// On Linux a priority is a thread's own: this one gives way to those that serve and learn, the more where nothing waits.
// For one that saves a checkpoint the learner waits when too much changes before it is saved.
const isWaitedFor = start.kind === 'load' || start.kind === 'checkpoint';
const { PRIORITY_LOW, PRIORITY_BELOW_NORMAL } = constants.priority;
if (process.platform === 'linux') setPriority(isWaitedFor ? PRIORITY_BELOW_NORMAL : PRIORITY_LOW);

const tell = (news: JobNews<never>) => port.postMessage(news);
const container = composeJob(
  start,
  (progress) => tell({ type: 'progress', progress }),
  (what) => tell({ type: 'warning', what }),
);
const work = beginWork(start, container.get(JOB_CONTEXT));
serveJob(port, start.kind === 'check' ? advised(work) : work);

/** Nobody asked for it: damage is told with what to do about it. */
function advised<Item>(parts: Iterator<Item> | AsyncIterator<Item>): AsyncIterator<Item> {
  const next = async () => {
    try {
      return await parts.next();
    } catch (error) {
      const { withAdvice } = await import('./repair.ts');
      throw withAdvice(AccreteError.wrap(error), start.config.data);
    }
  };
  return { next };
}
