import type { Capture } from '../store/checkpoints/capture.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { countPieces, type Saved, saveCheckpoint } from '../store/checkpoints/save.ts';
import type { JobContext } from './job-context.ts';

export interface CheckpointTask {
  readonly capture: Capture;
}

/** Saves what the learner has captured. Throws DISK_FULL, CHECKPOINT_FAILED. */
export async function* checkpoint({ capture }: CheckpointTask, context: JobContext): AsyncGenerator<Saved> {
  const { arena, meter, stateFolder } = context;
  meter.begin('save', 'segments', countPieces(capture));
  yield await saveCheckpoint(capture, { arena, folder: new CheckpointFolder(stateFolder), onPiece: () => meter.add() });
}
