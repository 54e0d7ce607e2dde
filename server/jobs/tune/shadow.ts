import type { Plugin } from '../../../plugins/contract/index.ts';
import type { ModelDescriptor } from '../../models/model.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { makeTables, WritableModel } from '../../models/writable-model.ts';
import { countLive, teachLive } from '../../teaching/live.ts';
import { restoreModel } from '../../teaching/state.ts';
import type { Beside } from '../candidate.ts';
import { type ContestTask, contest, type FuseStep, requireWindow, tooFew } from '../fuse/contest.ts';
import { refit } from '../fuse/make-candidate.ts';
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

export interface ShadowTask extends ContestTask {
  /** What both have as inputs, and their inputs. */
  readonly inputs: readonly InputTask[];
  /** It has a fusion period, and so begins it as of before the guard's window: trained on all ratings that were live then. */
  readonly refits: boolean;
  /** The search that found it: its notes are needed no more once that is decided. */
  readonly search: string;
}

/** Throws TOO_FEW_EVENTS, VERSION_NOT_FOUND, CAPABILITY_MISSING, MODEL_FAILED, MEMORY_FULL. */
export async function* shadow(task: ShadowTask, context: JobContext): AsyncGenerator<FuseStep> {
  const { descriptor } = task;
  const { meter, config } = context;
  const window = await requireWindow(task, context);
  const past = new Past(context, 'jobs.memoryMiB', config.jobs.memoryMiB);
  const plugin = await loadPlugin(descriptor.plugin);
  const beside = { past, inputs: await PastInputs.prepare(task.inputs, past, context) };
  const candidate = begin(plugin, descriptor, beside, context);
  meter.begin('replay', 'records', window.start - past.reached, undefined);
  const live = bringLive(task, plugin, candidate, window.start, beside, context);
  past.follow(window.start);
  const diagnostics = task.refits ? await refit(candidate, task.options.seed, context) : {};
  const contestants = { live, candidate, diagnostics, held: undefined };
  for await (const step of contest(contestants, window, task, beside, context)) {
    yield step;
    if (step.type === 'examined') SearchNotes.remove(context.stateFolder, task.search);
  }
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
