import { Rendezvous } from '../memory/rendezvous.ts';
import type { ModelDescriptor } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import type { JobContext } from './job-context.ts';
import { Past } from './past.ts';
import { Pursuit } from './pursuit.ts';

/** Where the tables of the model are, and where to meet the learner. */
export interface LoadTask {
  readonly descriptor: ModelDescriptor;
  /** The address of a `Rendezvous`. */
  readonly rendezvous: number;
}

/** The model has nearly caught up. */
export type LoadItem = 'caughtUp';

/**
 * Teaches a model in the shared memory the journal from the first record on, in a world of its own: histories are those of
 * each record's time. Then it stands still where the learner says. Throws MODEL_FAILED, also when nobody waits for it any
 * more.
 */
export async function* loadModel({ descriptor, rendezvous }: LoadTask, context: JobContext): AsyncGenerator<LoadItem> {
  const { config, meter, arena, revisions } = context;
  const past = new Past(context, config.memory.budgetMiB);
  const model = WritableModel.attach(past.hostIn(arena), await loadPlugin(descriptor.plugin), descriptor);
  const meeting = new Rendezvous(arena, rendezvous);
  const pursuit = new Pursuit(descriptor.name, past, revisions, meeting);
  try {
    past.teach([model], arena);
    meter.begin('replay', 'records', revisions.learned);
    pursuit.catchUp();
    yield 'caughtUp';
    pursuit.goToMeeting();
  } finally {
    for (const part of [model, past]) part.release();
  }
  // All is given back that is not the model's: the learner takes it from here.
  meeting.reach(past.reached);
}
