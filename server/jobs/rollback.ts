import type { ModelDescriptor } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { bringVersion, type CandidateStep, join } from './candidate.ts';
import type { JobContext } from './job-context.ts';
import { Past } from './past.ts';
import { type InputTask, PastInputs } from './past-inputs.ts';
import { type VersionKey, VersionOrigins } from './version-origins.ts';

export interface RollbackTask {
  readonly key: VersionKey;
  /** Where the tables of the version shall be in the shared memory, and where to meet the learner. */
  readonly descriptor: ModelDescriptor;
  readonly rendezvous: number;
  /** What it has as inputs, and their inputs. */
  readonly inputs: readonly InputTask[];
  readonly validateOnly: boolean;
}

/** Brings a version back as it was kept, and teaches it what came after. Throws VERSION_NOT_FOUND, MODEL_FAILED. */
export async function* rollBack(task: RollbackTask, context: JobContext): AsyncGenerator<CandidateStep> {
  const { key, descriptor, rendezvous } = task;
  if (task.validateOnly) return requireOrigin(task, context);
  const past = new Past(context, 'memory.budgetMiB', context.config.memory.budgetMiB);
  const beside = { past, inputs: await PastInputs.prepare(task.inputs, past, context) };
  const model = await bringVersion(key, descriptor, context.revisions.learned, beside, context);
  context.meter.begin('replay', 'records', context.revisions.learned - past.reached);
  past.follow(context.revisions.learned);
  yield* join(model, descriptor, key.loadedMs, rendezvous, beside, context);
}

async function requireOrigin({ key, descriptor }: RollbackTask, context: JobContext): Promise<void> {
  const plugin = await loadPlugin(descriptor.plugin);
  const origins = new VersionOrigins(key, { plugin, spec: descriptor }, context);
  try {
    origins.latest(context.revisions.learned);
  } finally {
    origins.close();
  }
}
