import type { Capture } from '../store/checkpoints/capture.ts';
import { CheckpointFolder, type Keeps } from '../store/checkpoints/checkpoint-folder.ts';
import { countPieces, type Saved, saveCheckpoint } from '../store/checkpoints/save.ts';
import type { JobContext } from './job-context.ts';

export interface CheckpointTask {
  readonly capture: Capture;
  readonly keeps: Keeps;
}

/** Saves what the learner has captured. Throws DISK_FULL, CHECKPOINT_FAILED. */
export async function* checkpoint({ capture, keeps }: CheckpointTask, context: JobContext): AsyncGenerator<Saved> {
  const { arena, meter, stateFolder } = context;
  meter.begin('save', 'segments', countPieces(capture));
  const folder = new CheckpointFolder(stateFolder);
  yield await saveCheckpoint(capture, { arena, folder, keeps, onPiece: () => meter.add() });
}
