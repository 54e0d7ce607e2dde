import type { FuseRequest, FuseResponse } from '../../proto/gen/accrete/v1/fuse.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { examineFuse, fuse } from './fuse.ts';
import { type Fetched, fetchModel, type Peers, requirePeer } from './peer-models.ts';
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
  const fetched = new Map<string, Fetched>();
  try {
    for (const { address, field } of wanted) {
      if (fetched.has(address)) continue;
      const steps = fetchModel(peers, address, field, serving.imports, signal);
      for (;;) {
        const { done, value } = await steps.next();
        if (done) {
          fetched.set(address, value);
          break;
        }
        yield { event: { $case: 'progress', value: progressMessage(value) } };
      }
    }
    const files = new Map([...fetched].map(([address, { file }]) => [address, file]));
    yield* fuse(request, serving, jobs, signal, telemetry, 'call', files);
  } finally {
    // Two addresses may have brought the same file.
    const mine = [...fetched.values()].filter(({ wasThere }) => !wasThere);
    for (const { file } of mine) await serving.imports.remove(file);
  }
}
