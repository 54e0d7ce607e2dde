import { randomInt } from 'node:crypto';
import { AccreteError } from '../errors.ts';
import { Arena } from '../memory/arena.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import { type ModelDescriptor, type ModelSpec, WritableModel } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { Follower } from '../teaching/follower.ts';
import { Teacher } from '../teaching/teacher.ts';
import type { JobContext } from './job-context.ts';

/** The model to make, and where to meet the learner. */
export interface LoadTask {
  readonly spec: ModelSpec;
  /** The address of a `Rendezvous`. */
  readonly rendezvous: number;
}

/** First where the tables are, then that the model has nearly caught up. */
export type LoadItem = { readonly type: 'made'; readonly descriptor: ModelDescriptor } | { readonly type: 'caughtUp' };

/** So few records behind, the learner can wait for the rest. */
const CLOSE_RECORDS = 100;
const WAIT_MS = 5;

/**
 * Makes a model in the shared memory and teaches it the journal from the first record on, in a world of its own: rows have
 * the same numbers there, and histories are those of each record's time. Then it stands still where the learner says.
 */
export async function* loadModel({ spec, rendezvous }: LoadTask, context: JobContext): AsyncGenerator<LoadItem> {
  const { config, journal, meter, arena, revisions, settings } = context;
  const plugin = await loadPlugin(spec.plugin);
  const world = WritableWorld.create(Arena.create(config.memory.budgetMiB * 2 ** 20), randomInt(2 ** 32));
  const host = { arena, world, scale: new Scale(settings.rating.min, settings.rating.max) };
  const { rankEvery, window } = settings.evaluation;
  const model = WritableModel.create(host, plugin, spec, window);
  yield { type: 'made', descriptor: model.descriptor };
  const onQuarantine = (_model: WritableModel, why: unknown) => {
    throw new AccreteError('MODEL_FAILED', `Model ${spec.name} failed while it learned the journal: ${why}`);
  };
  const teacher = new Teacher(host, loadHostKernels(arena.memory), [model], { rankEvery, onQuarantine });
  const follower = new Follower(world, teacher, () => {}, { remembersRequests: false });
  const meeting = new Rendezvous(arena, rendezvous);
  let reached = 0;
  const followTo = (last: number) => {
    for (const { revision, record } of journal.read(reached + 1, last)) {
      follower.follow(revision, record);
      reached = revision;
      meter.add();
    }
  };
  meter.begin('replay', 'records', revisions.learned);
  while (revisions.learned - reached > CLOSE_RECORDS) followTo(revisions.learned);
  yield { type: 'caughtUp' };
  try {
    let target = 0;
    while (target === 0 || reached < target) {
      if (target === 0) meeting.wait(WAIT_MS);
      ({ target } = meeting);
      followTo(target || revisions.learned);
    }
  } catch (error) {
    meeting.giveUp();
    throw error;
  }
  // Once there, this thread may be ended at any moment.
  for (const part of [model, teacher]) part.release();
  meeting.reach(reached);
}
