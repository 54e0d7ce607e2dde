import { type ExportModelRequest, ExportModelResponse } from '../../proto/gen/accrete/v1/model.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { VersionKey } from '../jobs/version-origins.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import { type LoadedModel, versionOf } from '../store/control.ts';
import { requireModelName } from './fields.ts';
import { requireVersion } from './rollback-model.ts';
import { sendFile } from './send-file.ts';
import { type StreamMethod, stream } from './service.ts';

/**
 * ModelService.ExportModel: a checkpoint of now has the model as of one revision, and whose its rows are; a job makes the
 * file of it, or of the version that is kept.
 */
export function exportModelMethod(gate: Gate, jobs: Jobs): StreamMethod {
  return stream(ExportModelResponse, async function* ({ name, version }: ExportModelRequest, call) {
    const startMs = performance.now();
    const serving = await gate.enter(() => call.signal);
    const { checkpoints } = serving;
    const key = requireKey(name, version, serving);
    const release = await checkpoints.keepAll();
    try {
      const { revision } = await checkpoints.create();
      yield* sendFile(startMs, jobs.run('exportModel', { name, checkpoint: revision, version: key }, call.signal));
    } finally {
      release();
    }
  });
}

/** Undefined: the version that serves. */
function requireKey(name: string, wanted: string, { directory }: Serving): VersionKey | undefined {
  requireModelName(name, directory.names);
  directory.require(name);
  const decided = directory.requireEntry(name).decided as LoadedModel;
  if (wanted === '' || wanted === versionOf(decided).version) return undefined;
  const { version, from } = requireVersion(decided, wanted);
  return { name, version, loadedMs: decided.loadedMs, from };
}
