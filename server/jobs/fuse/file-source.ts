import type { Plugin } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
import { requireFusion } from '../../models/fusion.ts';
import type { Model } from '../../models/model.ts';
import { type Held, overlap } from '../../store/held.ts';
import { ImportFolder } from '../../store/models/import-folder.ts';
import { type ModelFile, openModelFile } from '../../store/models/model-file.ts';
import { type Stretch, sharedUpTo } from '../../store/stretches.ts';
import { readFileMember } from './file-member.ts';
import type { SourceMemory } from './source-memory.ts';
import { alreadyFused, type FileSource, windowSeen } from './source-tasks.ts';
import { misfitOf, type Shape, shapeOf } from './strategies/comparable.ts';
import { type Member, refuseSource } from './strategies/members.ts';
import { type Joining, SAME_RATINGS } from './strategies/strategies.ts';

/** What a file is a source of. */
export interface FileTerms {
  readonly strategy: Joining;
  /** What the models of this server have learned, all the same. */
  readonly own: readonly Stretch[];
  /** What the model, and the sources before, have in them by files. */
  readonly held: Held;
  /** The last record before the window. */
  readonly start: number;
  /** The folder of the store. */
  readonly data: string;
  readonly memory: SourceMemory;
}

/** The model that a source is to suit. */
export type Target = Pick<Model, 'plugin' | 'descriptor'>;

/**
 * Whether a model file suits a model, before anything is made, and what it says it holds. Nothing that it names is loaded: it has to be of the model's
 * plugin. Throws IMPORT_NOT_FOUND, INVALID_FIELD, WINDOW_SEEN, ALREADY_FUSED, FILE_FOREIGN, FILE_DAMAGED.
 */
export function checkFileSource(source: FileSource, target: Target, terms: FileTerms): Held {
  return withFile(source, terms, (file) => {
    requireSuited(source, file, target, terms);
    const { learned, files } = file;
    return { learned, files };
  });
}

/** Reads it, for a candidate in whose world are the users and items that are known. Throws the same, and MEMORY_FULL. */
export function readFileSource(source: FileSource, candidate: Model, terms: FileTerms): Member {
  return withFile(source, terms, (file) => {
    requireSuited(source, file, candidate, terms);
    const { columns } = requireFusion(candidate.name, candidate.plugin, candidate.descriptor.config);
    return readFileMember(source.field, file, isForeign(file, terms), columns, candidate.world, terms.memory);
  });
}

function withFile<Result>(
  { field, file: name }: FileSource,
  { data }: FileTerms,
  use: (file: ModelFile) => Result,
): Result {
  const folder = new ImportFolder(data);
  if (!folder.has(name)) throw notFound(field, name, folder);
  const file = openModelFile(folder.pathOf(name));
  try {
    return use(file);
  } finally {
    file.close();
  }
}

function requireSuited(source: FileSource, file: ModelFile, target: Target, terms: FileTerms): void {
  const { field } = source;
  const misfit = fileMisfit(file, target, terms);
  if (misfit !== undefined) throw refuseSource({ field, name: file.file }, misfit);
  const shared = sharedUpTo(terms.own, file.learned);
  if (shared > terms.start)
    throw windowSeen(field, file.file, terms.start, `it has learned what came up to record ${shared}`);
  if (terms.strategy.foreignOnly && !isForeign(file, terms))
    throw alreadyFused(source, 'has learned ratings that another file brought already');
}

/** Why a file does not fit a model, in words that continue its name; undefined: it does. */
function fileMisfit(file: ModelFile, target: Target, terms: FileTerms): string | undefined {
  const { plugin, descriptor } = target;
  const { name } = descriptor;
  if (file.plugin !== descriptor.plugin)
    return `is of plugin ${JSON.stringify(file.plugin)}, and ${name} of ${JSON.stringify(descriptor.plugin)}`;
  if (file.stateVersion !== plugin.stateVersion)
    return `has the state version ${file.stateVersion} of its plugin, and ${name} has ${plugin.stateVersion}`;
  const config = plugin.config.safeParse(file.config);
  if (!config.success) return `has settings that its plugin does not take: ${config.error.issues[0].message}`;
  const obstacle = terms.strategy.obstacle(plugin, config.data);
  if (obstacle !== undefined) return `cannot be fused so, since ${obstacle}`;
  if (terms.strategy.foreignOnly && isOwn(file, terms)) return SAME_RATINGS;
  const model = shapeOf(name, plugin, descriptor.config);
  return misfitOf(model, shapeOfFile(file, plugin, config.data), terms.strategy.ranks);
}

/** What the file has of what its settings say. */
function shapeOfFile({ file, tables }: ModelFile, plugin: Plugin, config: { readonly seed: number }): Shape {
  const columns = [...tables].flatMap(([table, { index, columns }]) =>
    [...columns].map(([column, { type, width }]) => [`${table}.${column}`, { index, type, width }] as const),
  );
  return { ...shapeOf(file, plugin, config), columns: new Map(columns) };
}

/** Whether it has learned something that the models of this server have too, whether or not it is one of them still. */
function isOwn({ learned }: ModelFile, { own }: FileTerms): boolean {
  return sharedUpTo(own, learned) > 0;
}

/** Whether nothing of what it has learned is known to be here already. */
function isForeign(file: ModelFile, terms: FileTerms): boolean {
  return !isOwn(file, terms) && !overlap(file, terms.held);
}

function notFound(field: string, name: string, folder: ImportFolder): AccreteError {
  const names = folder.list().map((each) => each.name);
  const there = names.length > 0 ? `there are ${names.slice(0, 20).join(', ')}` : 'none was imported';
  const message = `${field}: no model file ${JSON.stringify(name)} was imported; ${there} (ImportModel brings one)`;
  return new AccreteError('IMPORT_NOT_FOUND', message, { metadata: { name } });
}
