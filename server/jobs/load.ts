import { AccreteError } from '../errors.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { ModelDescriptor } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { countLive, teachLive } from '../teaching/live.ts';
import { usableBases } from '../teaching/restoring.ts';
import type { JobContext } from './job-context.ts';
import { Past } from './past.ts';
import { type InputTask, PastInputs } from './past-inputs.ts';
import { Pursuit } from './pursuit.ts';

/** Where the tables of the model are, and where to meet the learner. */
export interface LoadTask {
  readonly descriptor: ModelDescriptor;
  /** The address of a `Rendezvous`. */
  readonly rendezvous: number;
  /** What it has as inputs, and their inputs. */
  readonly inputs: readonly InputTask[];
}

/** The model has nearly caught up. */
export interface LoadItem {
  /** The first record that it learned as it came; 1 where the journal has them all. */
  readonly exactFrom: number;
}

/**
 * Teaches a model in the shared memory the journal from the first record on, in a world of its own: histories are those of
 * each record's time, and so are its inputs. Where the journal no longer has its first records, it begins with what is live
 * in the oldest checkpoint: see `teachLive`. Then it stands still where the learner says. Throws MODEL_FAILED, also when
 * nobody waits for it any more.
 */
export async function* loadModel(task: LoadTask, context: JobContext): AsyncGenerator<LoadItem> {
  const { descriptor, rendezvous } = task;
  const { config, journal, meter, arena, revisions } = context;
  const past = new Past(context, 'memory.budgetMiB', config.memory.budgetMiB);
  const plugin = await loadPlugin(descriptor.plugin);
  const inputs = await PastInputs.prepare(task.inputs, past, context);
  const meeting = new Rendezvous(arena, rendezvous);
  const pursuit = new Pursuit(descriptor.name, past, revisions, meeting);
  if (journal.firstRevision > 1) {
    restoreOldest(past, context, (folder, manifest) => inputs.restore(folder, manifest));
    meter.begin('live', 'ratings', countLive(past.world));
    const pupil = { plugin, descriptor, inputs: inputs.resolved };
    teachLive(past.world, past.reached, past.liveHostIn(arena), pupil, past.options, () => {
      pursuit.requireWaiting();
      meter.add();
    });
  }
  const exactFrom = past.reached + 1;
  const model = WritableModel.attach(past.hostIn(arena), plugin, descriptor);
  try {
    inputs.teach([model], arena);
    meter.begin('replay', 'records', revisions.learned - past.reached);
    pursuit.catchUp();
    yield { exactFrom };
    pursuit.goToMeeting();
  } finally {
    for (const part of [model, past]) part.release();
  }
  // All is given back that is not the model's: the learner takes it from here.
  meeting.reach(past.reached);
}

/** Brings a world to the oldest checkpoint that can be used. */
export function restoreOldest(
  past: Past,
  { journal, stateFolder }: JobContext,
  onFound: (folder: CheckpointFolder, manifest: Manifest) => void,
): void {
  const folder = new CheckpointFolder(stateFolder);
  try {
    for (const manifest of usableBases(folder, folder.revisions.toReversed(), journal.firstRevision, () => {})) {
      past.restore(folder, manifest);
      onFound(folder, manifest);
      return;
    }
  } finally {
    folder.close();
  }
  const message = `The journal begins at revision ${journal.firstRevision}, and no checkpoint has what came before`;
  throw new AccreteError('MODEL_FAILED', `${message}: make one with CreateCheckpoint, and load the model again`);
}
