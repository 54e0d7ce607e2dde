import { bringVersions } from '../candidate.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import { type InputTask, PastInputs } from '../past-inputs.ts';
import { type ContestTask, contest, type FuseStep, requireWindow } from './contest.ts';
import type { VersionSource } from './source-tasks.ts';
import { requireUnseen } from './sources.ts';

/**
 * Judges whether one model of this server may answer in the place of another one: both as they were before the guard's window,
 * each tested and trained through it as a candidate of Fuse is, beside their inputs as those served at each record. One that is
 * an input of the other is there twice: as what is judged, and as what served. Nothing joins: both serve already.
 */

export interface CompareTask extends ContestTask {
  readonly other: VersionSource;
  /** What either has as inputs, and their inputs; each once. */
  readonly inputs: readonly InputTask[];
}

/** Throws TOO_FEW_EVENTS, WINDOW_SEEN, VERSION_NOT_FOUND, CAPABILITY_MISSING, MODEL_FAILED, MEMORY_FULL. */
export async function* compare(task: CompareTask, context: JobContext): AsyncGenerator<FuseStep> {
  const { key, live: spec, other, descriptor } = task;
  const { meter, config } = context;
  const window = await requireWindow(task, context);
  const { start } = window;
  await requireUnseen(other, start, context);
  const past = new Past(context, 'jobs.memoryMiB', config.jobs.memoryMiB);
  const beside = { past, inputs: await PastInputs.prepare(task.inputs, past, context) };
  const both = [{ key, descriptor: { ...descriptor, ...spec } }, other];
  const [live, candidate] = await bringVersions(both, start, beside, context);
  meter.begin('replay', 'records', start - past.reached, undefined);
  past.follow(start);
  const judged = { ...task, validateOnly: true, descriptor: { ...descriptor, version: other.key.version } };
  yield* contest({ live, candidate, diagnostics: {}, held: undefined }, window, judged, beside, context);
}
