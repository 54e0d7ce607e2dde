import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { composeJob, JOB_CONTEXT } from './container/job.ts';
import type { JobStart } from './jobs/messages.ts';
import { serveJob } from './jobs/serve-job.ts';
import { beginWork } from './jobs/work.ts';

/** The entry of a thread that works beside the stream. */

// On Linux a priority is a thread's own: this one gives way to those that serve and learn.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);

const port = parentPort as MessagePort;
const start = workerData as JobStart;
const container = composeJob(start, (progress) => port.postMessage({ type: 'progress', progress }));
serveJob(port, beginWork(start, container.get(JOB_CONTEXT)));
