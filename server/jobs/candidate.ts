import { AccreteError } from '../errors.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { ModelDescriptor } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { makeTables, WritableModel } from '../models/writable-model.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { describeModel, restoreModel, saveVersion } from '../teaching/state.ts';
import type { JobContext } from './job-context.ts';
import type { Past } from './past.ts';
import type { PastInputs } from './past-inputs.ts';
import { Pursuit } from './pursuit.ts';
import { type Origin, type VersionKey, VersionOrigins } from './version-origins.ts';

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
  beside: Beside,
  context: JobContext,
): Promise<WritableModel> {
  const [model] = await bringVersions([{ key, descriptor }], atMost, beside, context);
  return model;
}

/** A version, and its model as its tables are declared. */
export interface VersionTask {
  readonly key: VersionKey;
  readonly descriptor: ModelDescriptor;
}

/**
 * The same of several, in one world: it is as of the latest of their revisions, up to which the others have learned on. Throws
 * what that throws.
 */
export async function bringVersions(
  tasks: readonly VersionTask[],
  atMost: number,
  { past, inputs }: Beside,
  context: JobContext,
): Promise<WritableModel[]> {
  const { arena } = past.world;
  const wanted = await Promise.all(
    tasks.map(async (task) => {
      const plugin = await loadPlugin(task.descriptor.plugin);
      return { task, plugin, origins: new VersionOrigins(task.key, { plugin, spec: task.descriptor }, context) };
    }),
  );
  try {
    const coming = wanted
      .map((each) => ({ ...each, origin: each.origins.latest(atMost) }))
      .sort((a, b) => a.origin.revision - b.origin.revision);
    const [{ task: first, origins, origin: earliest }] = coming;
    const base = requireInputs(first.key, earliest, inputs, context);
    if (base) past.restore(origins.checkpoints, base);
    if (base) inputs.restore(origins.checkpoints, base);
    inputs.teach([], arena);
    context.meter.begin('restore', 'records', (coming.at(-1)?.origin.revision ?? 0) - past.reached);
    const brought = new Map<VersionTask, WritableModel>();
    for (const { task, plugin, origins, origin } of coming) {
      past.follow(origin.revision);
      const { descriptor, key } = task;
      const tables = makeTables(arena, plugin, descriptor, descriptor.prequential.window, key.version);
      const model = WritableModel.attach(past.hostIn(arena), plugin, tables);
      // Only now: whom the file as it is now still knows, the journal had when it was read.
      const saved = origins.reopen(origin);
      if (saved) past.forgetAsIn(saved.manifest);
      if (saved) restoreModel(saved.folder, saved.manifest, model);
      brought.set(task, model);
      inputs.teach([...brought.values()], arena);
    }
    return tasks.map((task) => brought.get(task) as WritableModel);
  } finally {
    for (const { origins } of wanted) origins.close();
  }
}

/** From where the inputs learn, too: a checkpoint that has them, or the first record. Throws VERSION_NOT_FOUND. */
function requireInputs(
  { name, version }: VersionKey,
  { base }: Origin,
  inputs: PastInputs,
  { journal }: JobContext,
): Manifest | undefined {
  if (!base || inputs.areIn(base)) return base;
  if (journal.firstRevision === 1) return undefined;
  const message =
    `Version ${version} of model ${name} cannot be brought back beside the inputs of then: the checkpoint of record ` +
    `${base.revision} lacks one, and the journal begins at revision ${journal.firstRevision}; make a checkpoint ` +
    '(CreateCheckpoint), and wait for more ratings';
  throw new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model: name, version } });
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
