import type { RollbackModelRequest, RollbackModelResponse } from '../../proto/gen/accrete/v1/model.ts';
import { AccreteError } from '../errors.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { ModelDescriptor } from '../models/model.ts';
import type { Serving } from '../serving/serving.ts';
import { servingInputs } from '../serving/serving-inputs.ts';
import { type LoadedModel, type ModelVersion, pluginOf, settingsOf, versionOf, versionsOf } from '../store/control.ts';
import { type CandidateReport, candidateJob } from './candidates.ts';
import { requireModelName } from './fields.ts';
import { describeModel } from './model-message.ts';

/** ModelService.RollbackModel: an earlier version, as it was, learns what came after and takes its place again. */
export async function rollbackModel(
  { name, version: wanted, validateOnly }: RollbackModelRequest,
  serving: Serving,
  jobs: Jobs,
  signal: AbortSignal,
): Promise<RollbackModelResponse> {
  const { directory, promotions } = serving;
  requireModelName(name, directory.names);
  const inputs = servingInputs([directory.require(name)], directory);
  const decided = directory.requireEntry(name).decided as LoadedModel;
  const { version: previousVersion } = versionOf(decided);
  // It is as it shall be: a call that was repeated.
  if (wanted === previousVersion)
    return { model: describeModel(directory.requireEntry(name), serving), previousVersion };
  const kept = requireVersion(decided, wanted);
  const { version, spent, from, held } = kept;
  const key = { name, version, loadedMs: decided.loadedMs, from };
  const candidacy = {
    name,
    version,
    origin: 'rollback',
    config: settingsOf(decided, kept) as ModelDescriptor['config'],
    plugin: pluginOf(decided, kept),
    fuse: kept.fuse,
    // Of the margin that is used up which was when it began to serve: what came after it is gone.
    spent: () => spent,
    held: () => held,
    account: () => ({
      kind: 'rollback' as const,
      by: 'call' as const,
      strategy: '',
      sources: [],
      reason: validateOnly ? 'it was asked only whether it can be brought back' : '',
    }),
    validateOnly,
    begin: (descriptor: ModelDescriptor, rendezvous: number, cut: AbortSignal) =>
      candidateJob(jobs, 'rollback', { key, descriptor, rendezvous, inputs, validateOnly }, cut),
  };
  for await (const _ of promotions.run<CandidateReport>(candidacy, signal));
  return { model: describeModel(directory.requireEntry(name), serving), previousVersion };
}

/** The version of that name, the one before the present one for "". Throws VERSION_NOT_FOUND. */
export function requireVersion(decided: LoadedModel, wanted: string): ModelVersion {
  const versions = versionsOf(decided);
  const earlier = versions.slice(0, -1);
  const version = wanted === '' ? earlier.at(-1) : earlier.find((each) => each.version === wanted);
  if (version) return version;
  const what = wanted === '' ? 'no earlier version' : `no earlier version ${JSON.stringify(wanted)}`;
  const kept = earlier.length > 0 ? `kept are ${earlier.map((each) => each.version).join(', ')}` : 'none is kept';
  const message = `Model ${decided.name} has ${what}: ${kept}, and ${versionOf(decided).version} serves`;
  throw new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model: decided.name, version: wanted } });
}
