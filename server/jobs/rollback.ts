import type { ModelDescriptor } from '../models/model.ts';
import { bringVersion, type CandidateStep, join, type VersionKey } from './candidate.ts';
import type { JobContext } from './job-context.ts';
import { Past } from './past.ts';

export interface RollbackTask {
  readonly key: VersionKey;
  /** Where the tables of the version shall be in the shared memory, and where to meet the learner. */
  readonly descriptor: ModelDescriptor;
  readonly rendezvous: number;
}

/** Brings a version back as it was kept, and teaches it what came after. Throws VERSION_NOT_FOUND, MODEL_FAILED. */
export async function* rollBack(task: RollbackTask, context: JobContext): AsyncGenerator<CandidateStep> {
  const { key, descriptor, rendezvous } = task;
  const past = new Past(context, context.config.memory.budgetMiB);
  const model = await bringVersion(key, descriptor, context.revisions.learned, past, context);
  context.meter.begin('replay', 'records', context.revisions.learned - past.reached);
  past.follow(context.revisions.learned);
  yield* join(model, descriptor, key.loadedMs, rendezvous, past, context);
}
