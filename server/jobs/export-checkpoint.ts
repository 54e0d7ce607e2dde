import { AccreteError } from '../errors.ts';
import { revisionText } from '../memory/revisions.ts';
import { estimateBytes, packStore } from '../store/archive/pack.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { measureState } from '../store/checkpoints/sizes.ts';
import type { JobContext } from './job-context.ts';
import { type FileItem, sendFile } from './send-file.ts';

export interface ExportCheckpointTask {
  readonly revision: number;
  /** Whether the records are left out. */
  readonly withoutJournal: boolean;
}

/** A store as of a checkpoint, as one file. Throws CHECKPOINT_NOT_FOUND, STORE_DAMAGED, CHECKPOINT_FAILED. */
export function* exportCheckpoint(task: ExportCheckpointTask, context: JobContext): Generator<FileItem> {
  const { meter, journal, stateFolder } = context;
  const folder = new CheckpointFolder(stateFolder);
  const { revision } = task;
  const manifest = requireCheckpoint(folder, revision);
  folder.verify(manifest);
  folder.close();
  const source = { folder, manifest, journal: task.withoutJournal ? undefined : journal };
  const name = `accrete-${revisionText(revision)}.tar`;
  yield* sendFile({ name, pack: () => packStore(source), estimate: estimateBytes(source) }, meter);
}

/** Of some checkpoints only pieces are kept. */
function requireCheckpoint(folder: CheckpointFolder, revision: number): Manifest {
  if (folder.revisions.includes(revision)) {
    const manifest = folder.manifest(revision);
    if (folder.hasFilesOf(manifest)) return manifest;
  }
  const there = measureState(folder.path)
    .checkpoints.map((checkpoint) => checkpoint.revision)
    .join(', ');
  const message = `There is no checkpoint ${revisionText(revision)}: name one of ${there}, or none for the latest`;
  throw new AccreteError('CHECKPOINT_NOT_FOUND', message, { metadata: { name: revisionText(revision) } });
}
