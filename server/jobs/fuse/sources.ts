import { readBlocks, requireFusion } from '../../models/fusion.ts';
import type { Model } from '../../models/model.ts';
import { loadPlugin } from '../../models/plugins.ts';
import type { WritableModel } from '../../models/writable-model.ts';
import { type Held, NOTHING_HELD, unite } from '../../store/held.ts';
import { ImportFolder } from '../../store/models/import-folder.ts';
import { bringVersion } from '../candidate.ts';
import { hashFile } from '../hash-file.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import { PastInputs } from '../past-inputs.ts';
import { VersionOrigins } from '../version-origins.ts';
import { checkFileSource, type FileTerms, readFileSource, type Target } from './file-source.ts';
import type { SourceMemory } from './source-memory.ts';
import { alreadyFused, type FileSource, type SourceTask, type VersionSource, windowSeen } from './source-tasks.ts';
import type { Member } from './strategies/members.ts';

export interface Sources {
  readonly membersFor: (candidate: Model) => Member[];
  /** What the candidate will have in it by files. */
  readonly held: Held;
}

/** A file, and what stands before it. */
interface CheckedFile {
  readonly file: FileSource;
  readonly terms: FileTerms;
}

/**
 * What the sources of a candidate had learned at record `start`: versions are brought, files are checked now and read for the
 * candidate. Throws WINDOW_SEEN, ALREADY_FUSED, VERSION_NOT_FOUND, MODEL_FAILED, MEMORY_FULL, and what `checkFileSource`
 * throws.
 */
export async function bringSources(
  tasks: readonly SourceTask[],
  target: Target,
  terms: FileTerms,
  force: boolean,
  context: JobContext,
): Promise<Sources> {
  let held = unite(terms.held, ...tasks.flatMap((task) => (task.type === 'version' && task.held) || []));
  const checked = new Map<SourceTask, FileTerms>();
  for (const task of tasks) {
    if (task.type !== 'file') continue;
    const before = { ...terms, held };
    held = unite(held, await requireNew(task, target, before, force, context));
    checked.set(task, before);
  }
  const brought: (Member | CheckedFile)[] = [];
  for (const task of tasks) {
    if (task.type === 'version') brought.push(await bringVersionSource(task, terms, context));
    else brought.push({ file: task, terms: checked.get(task) ?? terms });
  }
  const membersFor = (candidate: Model) =>
    brought.map((source) => ('blocks' in source ? source : readFileSource(source.file, candidate, source.terms)));
  return { membersFor, held };
}

/** Checks a file whose bytes are not in the others yet, and says what comes by it. */
async function requireNew(
  source: FileSource,
  target: Target,
  terms: FileTerms,
  force: boolean,
  { meter }: JobContext,
): Promise<Held> {
  const { learned, files } = checkFileSource(source, target, terms);
  const name = await hashFile(new ImportFolder(terms.data).pathOf(source.file), meter);
  if (!force && terms.held.files.includes(name))
    throw alreadyFused(source, 'has the same bytes as a file that came already');
  return { learned, files: [...files, name] };
}

/** The same as models, each in a memory of its own, as of record `wanted` or the first one after it at which all can be had. */
export async function bringModels(
  tasks: readonly SourceTask[],
  wanted: number,
  start: number,
  memory: SourceMemory,
  context: JobContext,
): Promise<{ readonly models: readonly WritableModel[]; readonly reached: number; readonly held: Held }> {
  const versions = tasks.flatMap((task) => (task.type === 'version' ? [task] : []));
  let reached = wanted;
  for (const task of versions) reached = Math.max(reached, await requireUnseen(task, start, context));
  const models: WritableModel[] = [];
  for (const task of versions) {
    const model = await bringModel(task, reached, memory, context);
    // It stays until all are copied.
    memory.take(model.arena.usedBytes);
    models.push(model);
  }
  return { models, reached, held: unite(NOTHING_HELD, ...versions.flatMap(({ held }) => held ?? [])) };
}

/** What a version had learned at record `start`. Throws WINDOW_SEEN, VERSION_NOT_FOUND, MODEL_FAILED, MEMORY_FULL. */
async function bringVersionSource(
  task: VersionSource,
  { start, memory }: FileTerms,
  context: JobContext,
): Promise<Member> {
  const { field, key, descriptor } = task;
  await requireUnseen(task, start, context);
  // Its memory is given back before the next one is made.
  const model = await bringModel(task, start, memory, context);
  memory.beside(model.arena);
  model.grow();
  const { columns } = requireFusion(key.name, model.plugin, descriptor.config);
  const blocks = readBlocks(model, columns, (bytes) => memory.take(bytes));
  return { name: `${key.name}@${key.version}`, field, isForeign: false, blocks };
}

async function bringModel(
  { key, descriptor }: VersionSource,
  reached: number,
  memory: SourceMemory,
  context: JobContext,
): Promise<WritableModel> {
  const past = new Past(context, 'jobs.memoryMiB', memory.leftMiB);
  const inputs = await PastInputs.prepare([], past, context);
  const model = await bringVersion(key, descriptor, reached, { past, inputs }, context);
  context.meter.begin('replay', 'records', reached - past.reached, undefined);
  past.follow(reached);
  return model;
}

/**
 * A source that cannot be had as of a record before the window holds something of what the candidate is judged by. Returns the
 * first record as of which it can be had; 0 for one that no file has, which is refused when it is brought.
 */
export async function requireUnseen(
  { field, key, descriptor }: VersionSource,
  start: number,
  context: JobContext,
): Promise<number> {
  const plugin = await loadPlugin(descriptor.plugin);
  const origins = new VersionOrigins(key, { plugin, spec: descriptor }, context);
  try {
    const earliest = origins.earliest() ?? 0;
    if (earliest <= start) return earliest;
    const how = `it can be had as of record ${earliest} at the earliest`;
    throw windowSeen(field, `version ${key.version} of model ${key.name}`, start, how);
  } finally {
    origins.close();
  }
}
