import type { FuseRequest, FuseResponse } from '../../proto/gen/accrete/v1/fuse.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Serving } from '../serving/serving.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { examineFuse, fuse } from './fuse.ts';
import { fetchModel, type Peers, requirePeer } from './peer-models.ts';
import { progressMessage } from './progress-message.ts';

/** RecommenderService.Fuse, with models of other servers among its sources: they are fetched, and go as imported files. */
export async function* fuseWithPeers(
  request: FuseRequest,
  serving: Serving,
  jobs: Jobs,
  peers: Peers,
  signal: AbortSignal,
  telemetry: CallTelemetry,
): AsyncGenerator<FuseResponse> {
  const wanted = request.sources.flatMap(({ source }, n) =>
    source?.$case === 'address' ? [{ address: source.value, field: `sources[${n}].address` }] : [],
  );
  if (wanted.length > 0) {
    for (const { address, field } of wanted) requirePeer(peers, address, field);
    // What is refused anyhow is refused before anything is fetched.
    examineFuse(request, serving, new Map(wanted.map(({ address }) => [address, 'not-fetched-yet'])));
  }
  // Each call has files of its own: another one that fetches the same may end before it.
  const files = new Map<string, string>();
  try {
    for (const { address, field } of wanted) {
      if (files.has(address)) continue;
      const file = ImportFolder.makeFetchedName();
      files.set(address, file);
      for await (const step of fetchModel(peers, address, field, file, serving.imports, signal))
        yield { event: { $case: 'progress', value: progressMessage(step) } };
    }
    yield* fuse(request, serving, jobs, signal, telemetry, 'call', files);
  } finally {
    for (const file of files.values()) await serving.imports.remove(file);
  }
}
