import type { RollbackModelRequest, RollbackModelResponse } from '../../proto/gen/accrete/v1/model.ts';
import { AccreteError } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { ModelDescriptor } from '../models/model.ts';
import type { Serving } from '../serving/serving.ts';
import { type LoadedModel, versionOf, versionsOf } from '../store/control.ts';
import { type CandidateReport, candidateJob } from './candidates.ts';
import { Fields } from './fields.ts';
import { describeModel } from './model-message.ts';

/** ModelService.RollbackModel: an earlier version, as it was, learns what came after and takes its place again. */
export async function rollbackModel(
  { name, version: wanted, validateOnly }: RollbackModelRequest,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
): Promise<RollbackModelResponse> {
  const { directory, promotions } = serving;
  const fields = new Fields();
  if (name === '') fields.refuse('name', `is empty: send one of ${directory.names.join(', ')}`);
  fields.check();
  directory.require(name);
  const decided = directory.requireEntry(name).decided as LoadedModel;
  const { version: previousVersion } = versionOf(decided);
  const version = requireVersion(decided, wanted);
  if (validateOnly) await promotions.examine(name, version);
  else {
    const key = { name, version, loadedMs: decided.loadedMs };
    const steps = promotions.run<CandidateReport>({
      name,
      version,
      origin: 'rollback',
      // What came before the promotions is back: nothing of the margin is used up.
      spent: () => 0,
      begin: (descriptor: ModelDescriptor, rendezvous: number) =>
        candidateJob(jobs, 'rollback', { key, descriptor, rendezvous }, signal),
    });
    for await (const _ of steps);
  }
  return { model: describeModel(directory.requireEntry(name), serving), previousVersion };
}

/** The version of that name, the one before the present one for "". Throws VERSION_NOT_FOUND. */
function requireVersion(decided: LoadedModel, wanted: string): string {
  const versions = versionsOf(decided);
  const earlier = versions.slice(0, -1);
  const version = wanted === '' ? earlier.at(-1) : earlier.find((each) => each.version === wanted);
  if (version) return version.version;
  const what = wanted === '' ? 'no earlier version' : `no earlier version ${JSON.stringify(wanted)}`;
  const kept = earlier.length > 0 ? `kept are ${earlier.map((each) => each.version).join(', ')}` : 'none is kept';
  const message = `Model ${decided.name} has ${what}: ${kept}, and ${versionOf(decided).version} serves`;
  throw new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model: decided.name, version: wanted } });
}
