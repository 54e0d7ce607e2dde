import { AccreteError } from '../errors.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { ModelDescriptor } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { makeTables, WritableModel } from '../models/writable-model.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { describeModel, restoreModel, saveVersion, versionFolder } from '../teaching/state.ts';
import type { JobContext } from './job-context.ts';
import { findCheckpoint, type Past } from './past.ts';
import { Pursuit } from './pursuit.ts';

/** A version of a model, on its way from the past to the place of the one that serves. */

/** Which version of which model. */
export interface VersionKey {
  readonly name: string;
  readonly version: string;
  /** When the model was loaded, which tells it from others of the same name. */
  readonly loadedMs: number;
}

/** How a candidate comes to its place. It goes on from each step when that is asked for, and from `caughtUp` when it may. */
export type CandidateStep =
  /** It has nearly caught up with the stream. */
  | { readonly type: 'caughtUp' }
  /** Its tables are on disk as of this record. */
  | { readonly type: 'saved'; readonly from: number };

/**
 * A version as it was at some revision, `atMost` at the latest, in a world as of then: from a checkpoint, from the version's
 * own file, or new, if it is the first version. Throws VERSION_NOT_FOUND, STORE_DAMAGED, MEMORY_FULL.
 */
export async function bringVersion(
  key: VersionKey,
  descriptor: ModelDescriptor,
  atMost: number,
  past: Past,
  { stateFolder, meter }: JobContext,
): Promise<WritableModel> {
  const plugin = await loadPlugin(descriptor.plugin);
  const { arena } = past.world;
  const host = past.hostIn(arena);
  const checkpoints = new CheckpointFolder(stateFolder);
  const own = versionFolder(stateFolder, key.name, key.version);
  const isOf = ({ models }: Manifest) => models.some((saved) => isSaved(saved, key, plugin.stateVersion));
  const checkpoint = findCheckpoint(checkpoints, atMost, isOf);
  const file = findCheckpoint(own, atMost, isOf);
  const fromFile = file && file.revision > (checkpoint?.revision ?? 0);
  const found = fromFile ? file : checkpoint;
  if (!found && key.version !== '1') throw versionGone(key, plugin.stateVersion);
  const { window } = descriptor.prequential;
  const model = WritableModel.attach(host, plugin, makeTables(arena, plugin, descriptor, window, key.version));
  try {
    const revision = found?.revision ?? 0;
    const base = found && findCheckpoint(checkpoints, revision);
    if (base) past.restore(checkpoints, base);
    past.teach([], arena);
    meter.begin('restore', 'records', revision - past.reached);
    if (found) past.follow(revision);
    if (found) restoreModel(fromFile ? own : checkpoints, found, model);
    past.teach([model], arena);
    return model;
  } finally {
    checkpoints.close();
    own.close();
  }
}

/**
 * The first record as of which a version can be brought back: 0 for the first version, while the journal has all of what it
 * learned. What is before is nothing that it could be judged by.
 */
export async function findBeginning(
  key: VersionKey,
  { plugin: specifier }: ModelDescriptor,
  { journal, stateFolder }: JobContext,
): Promise<number> {
  if (key.version === '1' && journal.firstRevision === 1) return 0;
  const { stateVersion } = await loadPlugin(specifier);
  const isOf = ({ models }: Manifest) => models.some((saved) => isSaved(saved, key, stateVersion));
  const folders = [versionFolder(stateFolder, key.name, key.version), new CheckpointFolder(stateFolder)];
  const earliest = folders.flatMap((folder) => {
    try {
      return folder.revisions.toReversed().find((revision) => findCheckpoint(folder, revision, isOf)) ?? [];
    } finally {
      folder.close();
    }
  });
  if (earliest.length === 0) throw versionGone(key, stateVersion);
  return Math.min(...earliest);
}

function isSaved(
  saved: Manifest['models'][number],
  { name, version, loadedMs }: VersionKey,
  stateVersion: number,
): boolean {
  return (
    saved.name === name &&
    saved.version === version &&
    saved.loadedMs === loadedMs &&
    saved.stateVersion === stateVersion
  );
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
  past: Past,
  { arena, revisions, stateFolder, meter }: JobContext,
): AsyncGenerator<CandidateStep> {
  const meeting = new Rendezvous(arena, rendezvous);
  const pursuit = new Pursuit(target.name, past, revisions, meeting);
  if (!meeting.enter()) pursuit.requireWaiting();
  const moved = model.copyTo(past.hostIn(arena), target);
  model.release();
  try {
    past.teach([moved], arena);
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

function versionGone({ name, version }: VersionKey, stateVersion: number): AccreteError {
  const message =
    `Version ${version} of model ${name} cannot be brought back: there is no good file of it, or not one that this ` +
    `version of its plugin (state version ${stateVersion}) can read; choose another one of those that GetModel lists, ` +
    'or restore its files from a backup';
  return new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model: name, version } });
}
