import { createHash } from 'node:crypto';
import { AccreteError } from '../errors.ts';
import { revisionText } from '../memory/revisions.ts';
import { estimateBytes, type PackSource, packStore } from '../store/archive/pack.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { measureState } from '../store/checkpoints/sizes.ts';
import type { JobContext } from './job-context.ts';

export interface ExportCheckpointTask {
  readonly revision: number;
  /** Whether the records are left out. */
  readonly withoutJournal: boolean;
}

/** What follows, then its bytes. */
export type ExportCheckpointItem =
  | { readonly type: 'header'; readonly name: string; readonly bytes: number; readonly sha256: string }
  | { readonly type: 'chunk'; readonly chunk: Uint8Array };

export const CHUNK_BYTES = 256 * 1024;

/**
 * A store as of a checkpoint, as one file. It is made twice, since its size and checksum stand before it; the same comes
 * both times unless somebody is forgotten meanwhile. Throws CHECKPOINT_NOT_FOUND, STORE_DAMAGED, CHECKPOINT_FAILED.
 */
export function* exportCheckpoint(task: ExportCheckpointTask, context: JobContext): Generator<ExportCheckpointItem> {
  const { meter, journal, stateFolder } = context;
  const folder = new CheckpointFolder(stateFolder);
  const { revision } = task;
  const manifest = requireCheckpoint(folder, revision);
  folder.verify(manifest);
  folder.close();
  const source = { folder, manifest, journal: task.withoutJournal ? undefined : journal };
  meter.begin('check', 'bytes', estimateBytes(source), undefined);
  const first = measure(source, (bytes) => meter.add(bytes));
  yield { type: 'header', name: `accrete-${revisionText(revision)}.tar`, ...first };
  meter.begin('send', 'bytes', first.bytes);
  const hash = createHash('sha256');
  for (const chunk of chunksOf(packStore(source))) {
    hash.update(chunk);
    meter.add(chunk.length);
    yield { type: 'chunk', chunk };
  }
  if (hash.digest('hex') !== first.sha256)
    throw new AccreteError('CHECKPOINT_FAILED', 'The store was changed while it was exported: export it again');
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

function measure(source: PackSource, onBytes: (bytes: number) => void): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const piece of packStore(source)) {
    hash.update(piece);
    bytes += piece.length;
    onBytes(piece.length);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The same bytes in chunks that are memory of their own, so that they can go to another thread. */
function* chunksOf(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let used = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + CHUNK_BYTES - used);
      chunk.set(part, used);
      used += part.length;
      at += part.length;
      if (used < CHUNK_BYTES) continue;
      yield chunk;
      chunk = new Uint8Array(CHUNK_BYTES);
      used = 0;
    }
  }
  if (used > 0) yield chunk.slice(0, used);
}
