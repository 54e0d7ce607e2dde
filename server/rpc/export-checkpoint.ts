import { type ExportCheckpointRequest, ExportCheckpointResponse } from '../../proto/gen/accrete/v1/checkpoint.ts';
import { AccreteError } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { findRevision } from '../memory/revisions.ts';
import type { Checkpoints } from '../serving/checkpoints.ts';
import type { Gate } from '../serving/serving.ts';
import { sendFile } from './send-file.ts';
import { type StreamMethod, stream } from './service.ts';

/** ModelService.ExportCheckpoint: a job makes the file; it is sent as fast as it is taken. */
export function exportCheckpointMethod(gate: Gate, jobs: Jobs): StreamMethod {
  return stream(ExportCheckpointResponse, async function* (request: ExportCheckpointRequest, call) {
    const startMs = performance.now();
    const { checkpoints } = await gate.enter(() => call.signal);
    const release = await checkpoints.keepAll();
    try {
      const task = { revision: requireName(request.name, checkpoints), withoutJournal: request.withoutJournal };
      yield* sendFile(startMs, jobs.run('exportCheckpoint', task, call.signal));
    } finally {
      release();
    }
  });
}

/** The revision of the checkpoint that is meant. */
function requireName(name: string, { latest }: Checkpoints): number {
  const revision = name === '' ? latest?.revision : findRevision(name);
  if (revision) return revision;
  const message =
    name === ''
      ? 'There is no checkpoint yet: make one with CreateCheckpoint'
      : `There is no checkpoint ${JSON.stringify(name)}: send a name that CreateCheckpoint gave, or none for the latest`;
  throw new AccreteError('CHECKPOINT_NOT_FOUND', message, { metadata: { name } });
}
