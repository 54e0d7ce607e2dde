import { BroadcastChannel } from 'node:worker_threads';
import type { Capture } from '../store/checkpoints/capture.ts';
import { CheckpointFolder, type Keeps } from '../store/checkpoints/checkpoint-folder.ts';
import { countPieces, type Saved, saveCheckpoint } from '../store/checkpoints/save.ts';
import type { JobContext } from './job-context.ts';

export interface CheckpointTask {
  /** The channel on which the capture comes. */
  readonly channel: string;
  readonly keeps: Keeps;
}

/** That it is ready to save, and then what it saved. */
export type CheckpointItem = { readonly type: 'ready' } | { readonly type: 'saved'; readonly saved: Saved };

/**
 * Saves what the learner has captured. The learner begins to keep rows when it captures, and has not much room for them:
 * so this thread is there before. Throws DISK_FULL, CHECKPOINT_FAILED.
 */
export async function* checkpoint(
  { channel: name, keeps }: CheckpointTask,
  { arena, meter, stateFolder }: JobContext,
): AsyncGenerator<CheckpointItem> {
  const channel = new BroadcastChannel(name);
  try {
    const captured = new Promise<Capture>((resolve) => {
      channel.onmessage = (event) => resolve((event as { readonly data: Capture }).data);
    });
    yield { type: 'ready' };
    const capture = await captured;
    meter.begin('save', 'segments', countPieces(capture));
    const folder = new CheckpointFolder(stateFolder);
    yield { type: 'saved', saved: await saveCheckpoint(capture, { arena, folder, keeps, onPiece: () => meter.add() }) };
  } finally {
    channel.close();
  }
}
