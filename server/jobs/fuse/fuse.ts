import type { ModelDescriptor } from '../../models/model.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { makeTables, type WritableModel } from '../../models/writable-model.ts';
import { type Held, holdsNothing, NOTHING_HELD, unite } from '../../store/held.ts';
import { stretchesUpTo } from '../../store/stretches.ts';
import { bringVersion } from '../candidate.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import { PastInputs } from '../past-inputs.ts';
import { blendModels } from './blend-models.ts';
import { type ContestTask, type ContestWindow, contest, type FuseStep, requireWindow } from './contest.ts';
import { joinSources, refit } from './make-candidate.ts';
import { SourceMemory } from './source-memory.ts';
import type { SourceTask } from './source-tasks.ts';
import { bringModels, bringSources } from './sources.ts';
import type { Diagnostics } from './strategies/members.ts';
import { type FuseOptions, STRATEGIES, type Strategy, type StrategyName } from './strategies/strategies.ts';

/**
 * Fuse: makes a candidate from a model as it was before the guard's window, tests and trains both through the window, and
 * if the guard lets it, takes the candidate to the place of the model that serves.
 *
 * It starts from what the model had learned then, and is trained on all ratings that were live then (REFIT), made one with
 * what sources had learned by then (`strategies/`), or becomes a member of a blend with them (BLEND).
 */

export interface FuseTask extends ContestTask {
  readonly strategy: StrategyName;
  readonly options: FuseOptions;
  readonly sources: readonly SourceTask[];
  /** What came to the version that serves by files. */
  readonly held: Held | undefined;
}

/**
 * Throws TOO_FEW_EVENTS, WINDOW_SEEN, ALREADY_FUSED, INVALID_FIELD, VERSION_NOT_FOUND, IMPORT_NOT_FOUND, FILE_FOREIGN, FILE_DAMAGED,
 * CAPABILITY_MISSING, MODEL_FAILED, MEMORY_FULL, DEVICE_FULL.
 */
export async function* fuse(task: FuseTask, context: JobContext): AsyncGenerator<FuseStep> {
  const { key, descriptor } = task;
  const { meter, config } = context;
  const window = await requireWindow(task, context);
  const memory = new SourceMemory(config.jobs.memoryMiB);
  const { reached, make, held } = await maker(task, window, memory, context);
  const past = new Past(context, 'jobs.memoryMiB', memory.leftMiB);
  memory.beside(past.world.arena);
  // What has inputs is not fused.
  const beside = { past, inputs: await PastInputs.prepare([], past, context) };
  const { plugin, config: settings } = task.live;
  const live = await bringVersion(key, { ...descriptor, plugin, config: settings }, reached, beside, context);
  meter.begin('replay', 'records', reached - past.reached, undefined);
  past.follow(reached);
  const { candidate, diagnostics } = await make(live, past);
  if (reached < window.start) learnTogether([live, candidate], window.start, past, context);
  yield* contest({ live, candidate, diagnostics, held }, window, task, beside, context);
}

function copyOf(live: WritableModel, past: Past, { version }: ModelDescriptor): WritableModel {
  const { arena } = past.world;
  const { window } = live.descriptor.prequential;
  return live.copyTo(past.hostIn(arena), makeTables(arena, live.plugin, live.descriptor, window, version));
}

interface Made {
  readonly candidate: WritableModel;
  readonly diagnostics: Diagnostics;
}

interface Maker {
  /** The record as of which it wants the model that serves: that before the window, or one before that. */
  readonly reached: number;
  readonly make: (live: WritableModel, past: Past) => Promise<Made>;
  /** What the candidate will have in it by files. */
  readonly held: Held | undefined;
}

/** What makes the candidate of the model that serves, once all that it takes is there. */
async function maker(
  { strategy: name, options, sources, held: before, descriptor }: FuseTask,
  { from, start, last }: ContestWindow,
  memory: SourceMemory,
  context: JobContext,
): Promise<Maker> {
  const strategy: Strategy = STRATEGIES[name];
  const { meter } = context;
  if (strategy.from === 'members') {
    // A gate has to learn, too, before it is judged: as long as the window is, where its members can be had so early.
    const wanted = Math.max(from, start - (last - start), 0);
    const { models, reached, held } = await bringModels(sources, wanted, start, memory, context);
    const make = (live: WritableModel, past: Past) => blendModels(live, models, past, descriptor, meter);
    return { reached, make, held: given(unite(before ?? NOTHING_HELD, held)) };
  }
  const ofCopy = (make: (candidate: WritableModel) => Promise<Diagnostics>) => ({
    reached: start,
    make: async (live: WritableModel, past: Past) => {
      const candidate = copyOf(live, past, descriptor);
      return { candidate, diagnostics: await make(candidate) };
    },
  });
  if (strategy.from === 'ratings')
    return { ...ofCopy((candidate) => refit(candidate, options.seed, context)), held: before };
  const target = { plugin: await loadPlugin(descriptor.plugin), descriptor };
  const own = stretchesUpTo(context.settings.stores ?? [], context.revisions.learned);
  const terms = { strategy, own, held: before ?? NOTHING_HELD, start, data: context.config.data, memory };
  const { membersFor, held } = await bringSources(sources, target, terms, options.force, context);
  const fill = (candidate: WritableModel) =>
    joinSources(candidate, membersFor, strategy, options, { ...context, memory });
  return { ...ofCopy(fill), held: given(held) };
}

function given(held: Held): Held | undefined {
  return holdsNothing(held) ? undefined : held;
}

/** Both learn what came until the window. */
function learnTogether(models: readonly WritableModel[], start: number, past: Past, { meter }: JobContext): void {
  past.teach(models, past.world.arena);
  meter.begin('replay', 'records', start - past.reached, undefined);
  past.follow(start);
}
