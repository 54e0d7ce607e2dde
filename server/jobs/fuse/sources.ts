import { readBlocks, requireFusion } from '../../models/fusion.ts';
import type { Model } from '../../models/model.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { type Held, unite } from '../../store/held.ts';
import { ImportFolder } from '../../store/models/import-folder.ts';
import { bringVersion } from '../candidate.ts';
import { hashFile } from '../hash-file.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import { type VersionKey, VersionOrigins } from '../version-origins.ts';
import { checkFileSource, type FileTerms, readFileSource, type Target } from './file-source.ts';
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

/** What a version had learned at record `start`. Throws WINDOW_SEEN, VERSION_NOT_FOUND, MODEL_FAILED, MEMORY_FULL. */
async function bringVersionSource(
  { field, key, descriptor }: VersionSource,
  { start, memory }: FileTerms,
  context: JobContext,
): Promise<Member> {
  const plugin = await loadPlugin(descriptor.plugin);
  requireUnseen(field, key, { plugin, spec: descriptor }, start, context);
  // A memory of its own, which is given back before the next one is made.
  const past = new Past(context, memory.leftMiB);
  memory.beside(past.world.arena);
  const model = await bringVersion(key, descriptor, start, past, context);
  context.meter.begin('replay', 'records', start - past.reached, undefined);
  past.follow(start);
  model.grow();
  const { columns } = requireFusion(key.name, plugin, descriptor.config);
  return {
    name: `${key.name}@${key.version}`,
    field,
    isForeign: false,
    blocks: readBlocks(model, columns, (bytes) => memory.take(bytes)),
  };
}

/** A source that cannot be had as of a record before the window holds something of what the candidate is judged by. */
function requireUnseen(
  field: string,
  key: VersionKey,
  model: ConstructorParameters<typeof VersionOrigins>[1],
  start: number,
  context: JobContext,
): void {
  const origins = new VersionOrigins(key, model, context);
  try {
    const earliest = origins.earliest();
    // One that no file has is refused when it is brought.
    if (earliest === undefined || earliest <= start) return;
    const how = `it can be had as of record ${earliest} at the earliest`;
    throw windowSeen(field, `version ${key.version} of model ${key.name}`, start, how);
  } finally {
    origins.close();
  }
}
