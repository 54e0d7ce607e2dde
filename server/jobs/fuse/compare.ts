import { makeTables } from '../../models/writable-model.ts';
import { bringVersion } from '../candidate.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import { PastInputs } from '../past-inputs.ts';
import { type ContestTask, contest, type FuseStep, requireWindow } from './contest.ts';
import { SourceMemory } from './source-memory.ts';
import type { VersionSource } from './source-tasks.ts';
import { bringModels } from './sources.ts';

/**
 * Judges whether one model of this server may answer in the place of another one: both as they were before the guard's window,
 * each tested and trained through it as a candidate of Fuse is. Nothing joins: both serve already.
 */

export interface CompareTask extends ContestTask {
  readonly other: VersionSource;
}

/** Throws TOO_FEW_EVENTS, WINDOW_SEEN, VERSION_NOT_FOUND, CAPABILITY_MISSING, MODEL_FAILED, MEMORY_FULL. */
export async function* compare(task: CompareTask, context: JobContext): AsyncGenerator<FuseStep> {
  const { key, live: spec, other, descriptor } = task;
  const { meter, config } = context;
  const window = await requireWindow(task, context);
  const { start } = window;
  const memory = new SourceMemory(config.jobs.memoryMiB);
  const {
    models: [brought],
  } = await bringModels([other], start, start, memory, context);
  const past = new Past(context, 'jobs.memoryMiB', memory.leftMiB);
  const { arena } = past.world;
  memory.beside(arena);
  // What has inputs is not compared.
  const beside = { past, inputs: await PastInputs.prepare([], past, context) };
  const live = await bringVersion(key, { ...descriptor, ...spec }, start, beside, context);
  meter.begin('replay', 'records', start - past.reached, undefined);
  past.follow(start);
  brought.grow();
  const tables = makeTables(
    arena,
    brought.plugin,
    brought.descriptor,
    descriptor.prequential.window,
    other.key.version,
  );
  const candidate = brought.copyTo(past.hostIn(arena), tables);
  const judged = { ...task, validateOnly: true, descriptor: { ...descriptor, version: other.key.version } };
  yield* contest({ live, candidate, diagnostics: {}, held: undefined }, window, judged, beside, context);
}
