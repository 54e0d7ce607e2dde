import { BroadcastChannel } from 'node:worker_threads';
import type { Capture } from '../store/checkpoints/capture.ts';
import type { Keeps } from '../store/checkpoints/checkpoint-folder.ts';
import type { Saved } from '../store/checkpoints/save.ts';
import type { Jobs } from './jobs.ts';

let channels = 0;

/** Has what `capture` gives saved by a job. Throws what that does, and what `checkpoint` throws. */
export async function saveByJob(jobs: Jobs, capture: () => Promise<Capture>, keeps: Keeps): Promise<Saved> {
  const name = `accrete-checkpoint-${process.pid}-${channels++}`;
  const channel = new BroadcastChannel(name);
  try {
    for await (const step of jobs.run('checkpoint', { channel: name, keeps }, new AbortController().signal)) {
      if (step.type !== 'item') continue;
      if (step.item.type === 'saved') return step.item.saved;
      channel.postMessage(await capture());
    }
    throw new Error('the job saved nothing');
  } finally {
    channel.close();
  }
}
