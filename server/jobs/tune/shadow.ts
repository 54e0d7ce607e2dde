import type { Plugin } from '../../../plugins/contract/index.ts';
import type { ModelDescriptor } from '../../models/model.ts';
import type { ModelSpec } from '../../models/model-spec.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { makeTables, WritableModel } from '../../models/writable-model.ts';
import { countLive, teachLive } from '../../teaching/live.ts';
import { restoreModel } from '../../teaching/state.ts';
import { type Beside, join } from '../candidate.ts';
import { findWindow } from '../fuse/find-window.ts';
import { examine, type FuseStep, findBeginning, type Judged, judge, tooFew } from '../fuse/fuse.ts';
import { WINDOW_MIN, windowSize } from '../fuse/window-size.ts';
import type { JobContext } from '../job-context.ts';
import { restoreOldest } from '../load.ts';
import { Past } from '../past.ts';
import { type InputTask, PastInputs } from '../past-inputs.ts';
import { VersionOrigins } from '../version-origins.ts';
import { SearchNotes } from './search-notes.ts';

/**
 * A candidate with other settings than the model that serves: it learns the journal as a model that is loaded does, and is
 * then judged and promoted as any other candidate.
 */

export interface ShadowTask extends Judged {
  /** The settings of the version that serves. */
  readonly live: ModelSpec;
  /** Where the tables of the candidate shall be in the shared memory, and where to meet the learner. */
  readonly descriptor: ModelDescriptor;
  readonly rendezvous: number;
  /** What both have as inputs, and their inputs. */
  readonly inputs: readonly InputTask[];
  /** Ratings that are live now. */
  readonly liveRatings: number;
  readonly validateOnly: boolean;
  /** The search that found it: its notes are needed no more once that is decided. */
  readonly search: string;
}

/** Throws TOO_FEW_EVENTS, VERSION_NOT_FOUND, CAPABILITY_MISSING, MODEL_FAILED, MEMORY_FULL. */
export async function* shadow(task: ShadowTask, context: JobContext): AsyncGenerator<FuseStep> {
  const { key, descriptor, rendezvous, validateOnly } = task;
  const { journal, revisions, meter, config } = context;
  const last = revisions.learned;
  const size = windowSize(task.liveRatings, task.guard.windowEvents);
  const from = await findBeginning(key, task.live, context);
  const { start, ratings } = findWindow(journal, { last, size, from });
  if (ratings < WINDOW_MIN) throw tooFew(ratings, key);
  const past = new Past(context, 'jobs.memoryMiB', config.jobs.memoryMiB);
  const plugin = await loadPlugin(descriptor.plugin);
  const beside = { past, inputs: await PastInputs.prepare(task.inputs, past, context) };
  const candidate = begin(plugin, descriptor, beside, context);
  meter.begin('replay', 'records', start - past.reached, undefined);
  const live = bringLive(task, plugin, candidate, start, beside, context);
  past.follow(start);
  // All of them came in one record.
  if (past.world.interactions.count === 0) throw tooFew(0, key);
  const answers = examine(live, candidate, start, last, beside, context);
  const examined = judge(answers, task, context);
  yield { ...examined, diagnostics: { window_events: answers.user.length }, held: undefined };
  SearchNotes.remove(context.stateFolder, task.search);
  if (!examined.decision.passed || validateOnly) return;
  live.release();
  yield* join(candidate, descriptor, key.loadedMs, rendezvous, beside, context);
}

/** The candidate before the first record, or with what is live in the oldest checkpoint where the journal lacks that. */
function begin(
  plugin: Plugin,
  descriptor: ModelDescriptor,
  { past, inputs }: Beside,
  context: JobContext,
): WritableModel {
  const { arena } = past.world;
  const { window } = context.settings.evaluation;
  const made = makeTables(arena, plugin, descriptor, window, descriptor.version);
  if (context.journal.firstRevision > 1) {
    restoreOldest(past, context, (folder, manifest) => inputs.restore(folder, manifest));
    context.meter.begin('live', 'ratings', countLive(past.world), undefined);
    const onTaught = () => context.meter.add();
    const pupil = { plugin, descriptor: made, inputs: inputs.resolved };
    teachLive(past.world, past.reached, past.liveHostIn(arena), pupil, past.options, onTaught);
  }
  const candidate = WritableModel.attach(past.hostIn(arena), plugin, made);
  inputs.teach([candidate], arena);
  return candidate;
}

/** The version that serves, as it was at some record before the window: from there on it learns beside the candidate. */
function bringLive(
  { key, live: spec }: ShadowTask,
  plugin: Plugin,
  candidate: WritableModel,
  start: number,
  { past, inputs }: Beside,
  context: JobContext,
): WritableModel {
  const { arena } = past.world;
  const origins = new VersionOrigins(key, { plugin, spec }, context);
  try {
    const origin = origins.latest(start);
    // Both have the world of then in common.
    if (origin.revision < past.reached) throw tooFew(0, key);
    past.follow(origin.revision);
    const { window } = context.settings.evaluation;
    const tables = makeTables(arena, plugin, spec, window, key.version);
    const live = WritableModel.attach(past.hostIn(arena), plugin, tables);
    const saved = origins.reopen(origin);
    if (saved) past.forgetAsIn(saved.manifest);
    if (saved) restoreModel(saved.folder, saved.manifest, live);
    inputs.teach([candidate, live], arena);
    return live;
  } finally {
    origins.close();
  }
}
