import { AccreteError } from '../../errors.ts';
import { loadHostKernels } from '../../memory/kernels/host-kernels.ts';
import type { ModelDescriptor } from '../../models/model.ts';
import type { ModelSpec } from '../../models/model-spec.ts';
import { loadPlugin } from '../../models/plugins.ts';
import type { WritableModel } from '../../models/writable-model.ts';
import type { Held } from '../../store/held.ts';
import { type Beside, type CandidateStep, join } from '../candidate.ts';
import type { Difference, Figure } from '../evaluation/report.ts';
import type { JobContext } from '../job-context.ts';
import { type VersionKey, VersionOrigins } from '../version-origins.ts';
import type { Decision, GuardTerms } from './decision.ts';
import { examineWindow, type WindowAnswers } from './examine-window.ts';
import { findWindow, type Window } from './find-window.ts';
import { decide } from './guard.ts';
import { differenceOf, figuresOf, lossesOf, requireLoss } from './window-figures.ts';
import { WINDOW_MIN, windowSize } from './window-size.ts';

/**
 * A candidate and the version that serves, however the candidate was made: both are tested and trained through the guard's
 * window, and if the guard lets it, the candidate goes to the place of the other.
 */

export interface ContestTask {
  /** The version that serves. */
  readonly key: VersionKey;
  /** It as it was made; the candidate may be of another plugin, or of other settings. */
  readonly live: ModelSpec;
  /** Where the tables of the candidate shall be in the shared memory, and where to meet the learner. */
  readonly descriptor: ModelDescriptor;
  readonly rendezvous: number;
  readonly options: { readonly seed: number };
  readonly guard: GuardTerms & { readonly metric: string; readonly windowEvents: number };
  /** Ratings that are live now. */
  readonly liveRatings: number;
  readonly validateOnly: boolean;
  /** The model that the candidate is; absent: another version of the one that serves. */
  readonly rival?: string;
}

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

export interface ContestWindow extends Pick<Window, 'start'> {
  /** The first record as of which the version that serves can be had. */
  readonly from: number;
  /** The last record of the window. */
  readonly last: number;
}

/** The window that a candidate is to be judged by. Throws TOO_FEW_EVENTS. */
export async function requireWindow(task: ContestTask, context: JobContext): Promise<ContestWindow> {
  const { key, live, guard, liveRatings } = task;
  const last = context.revisions.learned;
  const size = windowSize(liveRatings, guard.windowEvents);
  const from = await findBeginning(key, live, context);
  const { start, ratings } = findWindow(context.journal, { last, size, from });
  if (ratings < WINDOW_MIN) throw tooFew(ratings, key);
  return { from, start, last };
}

/** What is before the first record as of which a version can be brought back is nothing that it could be judged by. */
async function findBeginning(key: VersionKey, spec: ModelSpec, context: JobContext): Promise<number> {
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

/** Both as of the last record before the window, in one world. */
export interface Contestants extends Pick<Examined, 'diagnostics' | 'held'> {
  readonly live: WritableModel;
  readonly candidate: WritableModel;
}

/** Throws TOO_FEW_EVENTS, MODEL_FAILED, MEMORY_FULL. */
export async function* contest(
  { live, candidate, diagnostics, held }: Contestants,
  window: ContestWindow,
  task: ContestTask,
  beside: Beside,
  context: JobContext,
): AsyncGenerator<FuseStep> {
  const { key, descriptor, rendezvous, validateOnly } = task;
  // All of them came in one record.
  if (beside.past.world.interactions.count === 0) throw tooFew(0, key);
  const answers = examine(live, candidate, window, beside, context);
  const examined = judge(answers, task, context);
  yield { ...examined, diagnostics: { ...diagnostics, window_events: answers.user.length }, held };
  if (!examined.decision.passed || validateOnly) return;
  live.release();
  yield* join(candidate, descriptor, key.loadedMs, rendezvous, beside, context);
}

/** Both have learned the window afterwards, and so has the world. */
function examine(
  live: WritableModel,
  candidate: WritableModel,
  { start, last }: ContestWindow,
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

function judge(
  answers: WindowAnswers,
  { key, descriptor, guard, options, rival = key.name }: ContestTask,
  { meter }: JobContext,
): Omit<Examined, 'diagnostics' | 'held'> {
  if (answers.user.length < FIRST_MIN) throw tooFew(answers.user.length, key);
  const loss = requireLoss(guard.metric);
  const naming = {
    live: `${key.name}@${key.version}`,
    candidate: `${rival}@${descriptor.version}`,
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
