import { randomInt } from 'node:crypto';
import { AccreteError } from '../errors.ts';
import { Arena } from '../memory/arena.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import type { ModelDescriptor } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { restoreWorld, usableBases } from '../teaching/base.ts';
import { Follower } from '../teaching/follower.ts';
import { countLive, teachLive } from '../teaching/live.ts';
import { Teacher } from '../teaching/teacher.ts';
import type { JobContext } from './job-context.ts';

/** Where the tables of the model are, and where to meet the learner. */
export interface LoadTask {
  readonly descriptor: ModelDescriptor;
  /** The address of a `Rendezvous`. */
  readonly rendezvous: number;
}

/** The model has nearly caught up. */
export interface LoadItem {
  /** The first record that it learned as it came; 1 where the journal has them all. */
  readonly exactFrom: number;
}

/** When what arrived meanwhile is learned in so short a time, the learner can wait for the rest. */
const CLOSE_MS = 20;
const WAIT_MS = 5;

/**
 * Teaches a model in the shared memory the journal from the first record on, in a world of its own: rows have the same
 * numbers there, and histories are those of each record's time. Where the journal no longer has its first records, it
 * begins with what is live in the oldest checkpoint: see `teachLive`. Then it stands still where the learner says. Throws
 * MODEL_FAILED, also when nobody waits for it any more.
 */
export async function* loadModel({ descriptor, rendezvous }: LoadTask, context: JobContext): AsyncGenerator<LoadItem> {
  const { config, journal, meter, arena, revisions, settings } = context;
  const { name } = descriptor;
  const world = WritableWorld.create(Arena.create(config.memory.budgetMiB * 2 ** 20), randomInt(2 ** 32));
  const host = { arena, world, scale: new Scale(settings.rating.min, settings.rating.max) };
  const plugin = await loadPlugin(descriptor.plugin);
  const onQuarantine = (_model: WritableModel, why: unknown) => {
    throw new AccreteError('MODEL_FAILED', `Model ${name} failed while it learned the journal: ${why}`);
  };
  const options = { rankEvery: settings.evaluation.rankEvery, onQuarantine };
  const kernels = loadHostKernels(arena.memory);
  const meeting = new Rendezvous(arena, rendezvous);
  const requireWaiting = () => {
    if (meeting.gaveUp) throw new AccreteError('MODEL_FAILED', `Nobody waits for model ${name} any more`);
  };
  let reached = 0;
  if (journal.firstRevision > 1) {
    reached = restoreOldest(context, world);
    meter.begin('live', 'ratings', countLive(world));
    teachLive(world, reached, { ...host, kernels }, { plugin, descriptor }, options, () => {
      requireWaiting();
      meter.add();
    });
  }
  const from = reached + 1;
  const model = WritableModel.attach(host, plugin, descriptor);
  const teacher = new Teacher(host, kernels, [model], options);
  const follower = new Follower(world, teacher, () => {}, { remembersRequests: false });
  const followTo = (last: number) => {
    for (const { revision, record } of journal.read(reached + 1, last)) {
      requireWaiting();
      follower.follow(revision, record);
      reached = revision;
      meter.add();
    }
  };
  try {
    meter.begin('replay', 'records', revisions.learned - reached);
    let passMs = Number.POSITIVE_INFINITY;
    while (passMs > CLOSE_MS) {
      const startMs = performance.now();
      followTo(revisions.learned);
      passMs = performance.now() - startMs;
    }
    yield { exactFrom: from };
    let target = 0;
    while (target === 0 || reached < target) {
      if (target === 0) meeting.wait(WAIT_MS);
      requireWaiting();
      ({ target } = meeting);
      followTo(target || revisions.learned);
    }
  } finally {
    for (const part of [model, teacher]) part.release();
  }
  // All is given back that is not the model's: the learner takes it from here.
  meeting.reach(reached);
}

/** Brings a world to the oldest checkpoint that can be used, and returns its revision. */
function restoreOldest({ journal, stateFolder }: JobContext, world: WritableWorld): number {
  const folder = new CheckpointFolder(stateFolder);
  try {
    for (const manifest of usableBases(folder, folder.revisions.toReversed(), journal.firstRevision, () => {})) {
      restoreWorld(folder, manifest, world);
      return manifest.revision;
    }
  } finally {
    folder.close();
  }
  const message = `The journal begins at revision ${journal.firstRevision}, and no checkpoint has what came before`;
  throw new AccreteError('MODEL_FAILED', `${message}: make one with CreateCheckpoint, and load the model again`);
}
