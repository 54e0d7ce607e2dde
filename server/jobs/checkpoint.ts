import type { Capture } from '../store/checkpoints/capture.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { countPieces, type Saved, saveCheckpoint } from '../store/checkpoints/save.ts';
import type { JobContext } from './job-context.ts';

export interface CheckpointTask {
  readonly capture: Capture;
  /** Whether files of earlier checkpoints stay, needed or not. */
  readonly keepsAll: boolean;
}

/** Saves what the learner has captured. Throws DISK_FULL, CHECKPOINT_FAILED. */
export async function* checkpoint({ capture, keepsAll }: CheckpointTask, context: JobContext): AsyncGenerator<Saved> {
  const { arena, meter, stateFolder } = context;
  meter.begin('save', 'segments', countPieces(capture));
  const folder = new CheckpointFolder(stateFolder);
  yield await saveCheckpoint(capture, { arena, folder, keepsAll, onPiece: () => meter.add() });
}
