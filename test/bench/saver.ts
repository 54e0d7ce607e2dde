import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Arena } from '../../server/memory/arena.ts';
import { CheckpointFolder } from '../../server/store/checkpoints/checkpoint-folder.ts';
import { saveCheckpoint } from '../../server/store/checkpoints/save.ts';

/** A thread that saves one capture, as a job of the server does. */

// As the job has it.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const { memory, path } = workerData;
parentPort?.postMessage('ready');
const [capture] = await once(parentPort as MessagePort, 'message');
const saved = await saveCheckpoint(capture, { arena: new Arena(memory), folder: new CheckpointFolder(path) });
parentPort?.postMessage(saved);
parentPort?.close();
