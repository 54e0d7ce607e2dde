import { Rendezvous } from '../memory/rendezvous.ts';
import type { ModelDescriptor } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { makeTables, WritableModel } from '../models/writable-model.ts';
import { describeModel, restoreModel, saveVersion } from '../teaching/state.ts';
import type { JobContext } from './job-context.ts';
import type { Past } from './past.ts';
import type { PastInputs } from './past-inputs.ts';
import { Pursuit } from './pursuit.ts';
import { type VersionKey, VersionOrigins } from './version-origins.ts';

/** A version of a model, on its way from the past to the place of the one that serves. */

/** How a candidate comes to its place. It goes on from each step when that is asked for, and from `caughtUp` when it may. */
export type CandidateStep =
  /** It has nearly caught up with the stream. */
  | { readonly type: 'caughtUp' }
  /** Its tables are on disk as of this record. */
  | { readonly type: 'saved'; readonly from: number };

/** Where a version learns, and beside which others. */
export interface Beside {
  readonly past: Past;
  /** What it has as inputs. */
  readonly inputs: PastInputs;
}

/**
 * A version as it was at some revision, `atMost` at the latest, in a world as of then. Throws VERSION_NOT_FOUND,
 * STORE_DAMAGED, MEMORY_FULL.
 */
export async function bringVersion(
  key: VersionKey,
  descriptor: ModelDescriptor,
  atMost: number,
  { past, inputs }: Beside,
  context: JobContext,
): Promise<WritableModel> {
  const plugin = await loadPlugin(descriptor.plugin);
  const { arena } = past.world;
  const origins = new VersionOrigins(key, { plugin, spec: descriptor }, context);
  try {
    const origin = origins.latest(atMost);
    const { revision, base } = origin;
    const { window } = descriptor.prequential;
    const tables = makeTables(arena, plugin, descriptor, window, key.version);
    const model = WritableModel.attach(past.hostIn(arena), plugin, tables);
    if (base) past.restore(origins.checkpoints, base);
    if (base) inputs.restore(origins.checkpoints, base);
    inputs.teach([], arena);
    context.meter.begin('restore', 'records', revision - past.reached);
    past.follow(revision);
    // Only now: whom the file as it is now still knows, the journal had when it was read.
    const saved = origins.reopen(origin);
    if (saved) past.forgetAsIn(saved.manifest);
    if (saved) restoreModel(saved.folder, saved.manifest, model);
    inputs.teach([model], arena);
    return model;
  } finally {
    origins.close();
  }
}

/**
 * Moves a model into the shared memory, catches up with the stream, saves it, and stands still where the learner says. By
 * then no checkpoint may be made: one between the file and the promotion would have neither.
 */
export async function* join(
  model: WritableModel,
  target: ModelDescriptor,
  loadedMs: number,
  rendezvous: number,
  { past, inputs }: Beside,
  { arena, revisions, stateFolder, meter }: JobContext,
): AsyncGenerator<CandidateStep> {
  const meeting = new Rendezvous(arena, rendezvous);
  const pursuit = new Pursuit(target.name, past, revisions, meeting);
  if (!meeting.enter()) pursuit.requireWaiting();
  const moved = model.copyTo(past.hostIn(arena), target);
  model.release();
  try {
    inputs.teach([moved], arena);
    meter.begin('replay', 'records', revisions.learned - past.reached);
    pursuit.catchUp();
    yield { type: 'caughtUp' };
    pursuit.waitForLeave();
    // Whoever was forgotten before checkpoints were held is so in this file.
    pursuit.catchUp();
    const from = past.reached;
    await saveVersion(arena, stateFolder, describeModel(moved, { loadedMs }), moved.stateTables(), from);
    pursuit.catchUp();
    yield { type: 'saved', from };
    pursuit.goToMeeting();
  } finally {
    for (const part of [moved, past]) part.release();
  }
  meeting.reach(past.reached);
}
