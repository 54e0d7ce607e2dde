import { AccreteError } from '../../errors.ts';
import { loadHostKernels } from '../../memory/kernels/host-kernels.ts';
import type { ModelDescriptor } from '../../models/model.ts';
import type { ModelSpec } from '../../models/model-spec.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { makeTables, type WritableModel } from '../../models/writable-model.ts';
import { type Held, holdsNothing, NOTHING_HELD, unite } from '../../store/held.ts';
import { stretchesUpTo } from '../../store/stretches.ts';
import { type Beside, bringVersion, type CandidateStep, join } from '../candidate.ts';
import type { Difference, Figure } from '../evaluation/report.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import { PastInputs } from '../past-inputs.ts';
import { type VersionKey, VersionOrigins } from '../version-origins.ts';
import { blendModels } from './blend-models.ts';
import type { Decision, GuardTerms } from './decision.ts';
import { examineWindow, type WindowAnswers } from './examine-window.ts';
import { findWindow } from './find-window.ts';
import { decide } from './guard.ts';
import { joinSources, refit } from './make-candidate.ts';
import { SourceMemory } from './source-memory.ts';
import type { SourceTask } from './source-tasks.ts';
import { bringModels, bringSources } from './sources.ts';
import type { Diagnostics } from './strategies/members.ts';
import { type FuseOptions, STRATEGIES, type Strategy, type StrategyName } from './strategies/strategies.ts';
import { differenceOf, figuresOf, lossesOf, requireLoss } from './window-figures.ts';
import { WINDOW_MIN, windowSize } from './window-size.ts';

/**
 * Fuse: makes a candidate from a model as it was before the guard's window, tests and trains both through the window, and
 * if the guard lets it, takes the candidate to the place of the model that serves.
 *
 * It starts from what the model had learned then, and is trained on all ratings that were live then (REFIT), made one with
 * what sources had learned by then (`strategies/`), or becomes a member of a blend with them (BLEND).
 */

export interface FuseTask {
  /** The version that serves. */
  readonly key: VersionKey;
  /** It as it was made; the candidate may be of another plugin. */
  readonly live: ModelSpec;
  /** Where the tables of the candidate shall be in the shared memory, and where to meet the learner. */
  readonly descriptor: ModelDescriptor;
  readonly rendezvous: number;
  readonly strategy: StrategyName;
  readonly options: FuseOptions;
  readonly sources: readonly SourceTask[];
  /** What came to the version that serves by files. */
  readonly held: Held | undefined;
  readonly guard: GuardTerms & { readonly metric: string; readonly windowEvents: number };
  /** Ratings that are live now. */
  readonly liveRatings: number;
  readonly validateOnly: boolean;
}

/** What a guard has to know of a candidate. */
export type Judged = Pick<FuseTask, 'key' | 'guard'> & {
  readonly descriptor: Pick<ModelDescriptor, 'version'>;
  readonly options: Pick<FuseOptions, 'seed'>;
};

/** What the guard found. */
export interface Examined {
  readonly type: 'examined';
  readonly decision: Decision;
  readonly difference: Difference;
  readonly before: readonly Figure[];
  readonly after: readonly Figure[];
  readonly diagnostics: Readonly<Record<string, number>>;
  /** What came to the candidate by files. */
  readonly held: Held | undefined;
}

export type FuseStep = Examined | CandidateStep;

/** Edits and what was taken back say nothing of what a model would have expected; a window of little else is none. */
const FIRST_MIN = WINDOW_MIN / 2;

/**
 * Throws TOO_FEW_EVENTS, WINDOW_SEEN, ALREADY_FUSED, INVALID_FIELD, VERSION_NOT_FOUND, IMPORT_NOT_FOUND, FILE_FOREIGN, FILE_DAMAGED,
 * CAPABILITY_MISSING, MODEL_FAILED, MEMORY_FULL, DEVICE_FULL.
 */
export async function* fuse(task: FuseTask, context: JobContext): AsyncGenerator<FuseStep> {
  const { key, descriptor, rendezvous, validateOnly } = task;
  const { journal, revisions, meter, config } = context;
  const last = revisions.learned;
  const size = windowSize(task.liveRatings, task.guard.windowEvents);
  const from = await findBeginning(key, task.live, context);
  const { start, ratings } = findWindow(journal, { last, size, from });
  if (ratings < WINDOW_MIN) throw tooFew(ratings, key);
  const memory = new SourceMemory(config.jobs.memoryMiB);
  const { reached, make, held } = await maker(task, { from, start, last }, memory, context);
  const past = new Past(context, 'jobs.memoryMiB', memory.leftMiB);
  memory.beside(past.world.arena);
  // What has inputs is not fused.
  const beside = { past, inputs: await PastInputs.prepare([], past, context) };
  const { plugin, config: settings } = task.live;
  const live = await bringVersion(key, { ...descriptor, plugin, config: settings }, reached, beside, context);
  meter.begin('replay', 'records', reached - past.reached, undefined);
  past.follow(reached);
  const { candidate, diagnostics } = await make(live, past);
  if (reached < start) learnTogether([live, candidate], start, past, context);
  // All of them came in one record.
  if (past.world.interactions.count === 0) throw tooFew(0, key);
  const answers = examine(live, candidate, start, last, beside, context);
  const examined = judge(answers, task, context);
  yield { ...examined, diagnostics: { ...diagnostics, window_events: answers.user.length }, held };
  if (!examined.decision.passed || validateOnly) return;
  live.release();
  yield* join(candidate, descriptor, key.loadedMs, rendezvous, beside, context);
}

/** What is before the first record as of which a version can be brought back is nothing that it could be judged by. */
export async function findBeginning(key: VersionKey, spec: ModelSpec, context: JobContext): Promise<number> {
  const plugin = await loadPlugin(spec.plugin);
  const origins = new VersionOrigins(key, { plugin, spec }, context);
  try {
    const beginning = origins.earliest();
    if (beginning === undefined) throw noBeginning(key);
    return beginning;
  } finally {
    origins.close();
  }
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

interface Stretch {
  /** The first record as of which the version that serves can be had. */
  readonly from: number;
  /** The last record before the window, and its last one. */
  readonly start: number;
  readonly last: number;
}

/** What makes the candidate of the model that serves, once all that it takes is there. */
async function maker(
  { strategy: name, options, sources, held: before, descriptor }: FuseTask,
  { from, start, last }: Stretch,
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

/** Both have learned the window afterwards, and so has the world. */
export function examine(
  live: WritableModel,
  candidate: WritableModel,
  start: number,
  last: number,
  { past, inputs }: Beside,
  { journal, meter, settings }: JobContext,
): WindowAnswers {
  const { arena } = past.world;
  const exam = {
    host: past.hostIn(arena),
    kernels: loadHostKernels(arena.memory),
    reached: start,
    live: { model: live, seenTo: start },
    candidate: { model: candidate, seenTo: start },
    rankEvery: settings.evaluation.rankEvery,
    inputs,
  };
  meter.begin('test', 'records', last - start, undefined);
  const steps = examineWindow(exam, journal.read(start + 1, last));
  for (;;) {
    const { done, value } = steps.next();
    if (done) {
      past.skipTo(last);
      return value;
    }
    meter.add();
  }
}

export function judge(
  answers: WindowAnswers,
  task: Judged,
  { meter }: JobContext,
): Omit<Examined, 'diagnostics' | 'held'> {
  const { key, descriptor, guard, options } = task;
  if (answers.user.length < FIRST_MIN) throw tooFew(answers.user.length, key);
  const loss = requireLoss(guard.metric);
  const naming = {
    live: `${key.name}@${key.version}`,
    candidate: `${key.name}@${descriptor.version}`,
    seed: options.seed,
  };
  const decision = decide(lossesOf(answers, loss), guard, meter);
  const metrics = [...new Set(['rmse', 'mae', loss.metric.name])];
  const figures = metrics.flatMap((metric) => figuresOf(answers, metric, naming, meter) ?? []);
  return {
    type: 'examined',
    decision,
    difference: differenceOf(decision, loss, naming),
    before: figures.map(({ before }) => before),
    after: figures.map(({ after }) => after),
  };
}

export function tooFew(count: number, { name, version }: VersionKey): AccreteError {
  const message =
    `A candidate for ${name} is judged by ${WINDOW_MIN} ratings at least, ${FIRST_MIN} of them no edits and not taken back, ` +
    `that came after version ${version} began, and after others: there are ${count}; wait for more ratings`;
  return new AccreteError('TOO_FEW_EVENTS', message, { metadata: { model: name, events: String(count) } });
}

function noBeginning({ name, version }: VersionKey): AccreteError {
  const message =
    `A candidate for ${name} begins with what version ${version}, which serves, had learned before the ratings that it is ` +
    'judged by, and no file has that: make a checkpoint (CreateCheckpoint), and wait for more ratings';
  return new AccreteError('TOO_FEW_EVENTS', message, { metadata: { model: name, events: '0' } });
}
