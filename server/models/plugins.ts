import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Plugin } from '../../plugins/contract/index.ts';
import { show } from '../config/layer.ts';
import { didYouMean } from '../config/nearest.ts';
import { describeAllowed, findNode } from '../config/settings.ts';
import { AccreteError, type FieldViolation } from '../errors.ts';
import { blendOf } from './blend/blend.ts';
import type { ModelSpec } from './model-spec.ts';

/**
 * Finds a plugin by its module specifier: the name of a folder of `plugins/`, a path to a file (from the working
 * directory), or a package. `place`: where the specifier stands, for messages.
 * Throws PLUGIN_INVALID.
 */
export async function loadPlugin(specifier: string, place = 'plugin'): Promise<Plugin> {
  const members = membersNamed(specifier);
  const plugin = await (members ? loadBlend(specifier, members, place) : loadModule(specifier, place));
  loaded.set(specifier, plugin);
  return plugin;
}

const loaded = new Map<string, Plugin>();

/** A plugin that this thread has loaded already. */
export function loadedPlugin(specifier: string): Plugin | undefined {
  return loaded.get(specifier);
}

async function loadModule(specifier: string, place: string): Promise<Plugin> {
  // The text of a program, which whoever may call LoadModel could send.
  if (URL_BUT_FILE.test(specifier))
    throw pluginInvalid(place, 'is a URL: send the name of a plugin, a path or a package');
  const url = moduleOf(specifier);
  let module: { default?: unknown };
  try {
    module = await import(url);
  } catch (cause) {
    // Which of our files asked for it helps nobody.
    const why = (cause as Error).message.replace(IMPORTED_FROM, '');
    const description = `is ${JSON.stringify(specifier)}, which cannot be loaded: ${why}`;
    throw pluginInvalid(place, `${description}; ${remedyOf(specifier)}`, cause);
  }
  const missing = missingParts(module.default);
  if (missing.length > 0) {
    const description = `is ${JSON.stringify(specifier)}, which lacks ${missing.join(', ')}`;
    throw pluginInvalid(place, `${description}: export default definePlugin({…})`);
  }
  const plugin = module.default as Plugin;
  if (plugin.inputs && plugin.refit) {
    const description = `is ${JSON.stringify(specifier)}, which has inputs and a refit`;
    throw pluginInvalid(place, `${description}: what it learned of its inputs cannot be learned anew, leave one out`);
  }
  return plugin;
}

const BLEND = /^blend\((.+)\)$/s;
export const MEMBERS_MAX = 8;

/** `blend(mf, item-cf)`: the specifiers of the members. */
export function membersNamed(specifier: string): string[] | undefined {
  return BLEND.exec(specifier)?.[1]
    .split(',')
    .map((member) => member.trim());
}

async function loadBlend(specifier: string, members: readonly string[], place: string): Promise<Plugin> {
  const known = loaded.get(specifier);
  if (known) return known;
  if (members.length < 2 || members.length > MEMBERS_MAX)
    throw pluginInvalid(place, `names ${members.length} members: a blend has 2 to ${MEMBERS_MAX}`);
  const plugins = await Promise.all(members.map((member) => loadModule(member, place)));
  const unfit = plugins.findIndex(({ inputs }) => inputs);
  if (unfit >= 0)
    throw pluginInvalid(place, `has ${members[unfit]} as a member, which has models as inputs: leave it out`);
  return blendOf(plugins, nameBlend(members));
}

/** The specifier of a blend. */
export function nameBlend(members: readonly string[]): string {
  return `blend(${members.join(',')})`;
}

const IMPORTED_FROM = ` imported from ${fileURLToPath(import.meta.url)}`;
/** `data:` and the like. */
const URL_BUT_FILE = /^(?!file:)[a-z][a-z0-9+.-]*:/i;
const BARE_NAME = /^[a-z][a-z0-9-]*$/;
const FOLDER = new URL('../../plugins/', import.meta.url);

/** Whether all that a specifier names lies in `plugins/`, so that it runs nothing else. */
export function isInstalled(specifier: string): boolean {
  const names = membersNamed(specifier) ?? [specifier];
  return names.every((name) => BARE_NAME.test(name) && existsSync(new URL(`${name}/plugin.ts`, FOLDER)));
}

/** What an import of the plugin names. */
export function moduleOf(specifier: string): string {
  const own = new URL(`${specifier}/plugin.ts`, FOLDER);
  if (BARE_NAME.test(specifier) && existsSync(own)) return own.href;
  if (specifier.startsWith('.') || specifier.startsWith('/')) return pathToFileURL(resolve(specifier)).href;
  return specifier;
}

function pluginInvalid(field: string, description: string, cause?: unknown): AccreteError {
  const violations = [{ field, description }];
  return new AccreteError('PLUGIN_INVALID', `${field} ${description}`, { violations, cause });
}

function remedyOf(specifier: string): string {
  if (!BARE_NAME.test(specifier))
    return 'a path is relative to the working directory, and a package has to be installed';
  const names = readdirSync(FOLDER).filter(
    (name) => name !== 'contract' && existsSync(new URL(`${name}/plugin.ts`, FOLDER)),
  );
  return `${didYouMean(specifier, names)}there are ${names.join(', ')}`;
}

const PARTS = {
  name: 'string',
  summary: 'string',
  stateVersion: 'number',
  config: 'object',
  tables: 'function',
  scorer: 'function',
  learner: 'function',
  retracts: 'string',
} as const;

function missingParts(candidate: unknown): string[] {
  if (typeof candidate !== 'object' || candidate === null) return ['a default export'];
  const parts = candidate as Record<string, unknown>;
  return Object.entries(PARTS)
    .filter(([name, type]) => typeof parts[name] !== type)
    .map(([name]) => name);
}

/** A configured model with its plugin loaded and its configuration completed by the plugin's schema. */
export interface ResolvedModel {
  readonly plugin: Plugin;
  readonly spec: ModelSpec;
}

/** A model as it is asked for: `config` may leave settings out. */
export interface ModelSettings {
  readonly name: string;
  readonly plugin: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Loads the plugins of models and checks each configuration by its plugin's schema. `placeOf` says where a model stands,
 * for messages.
 * Throws PLUGIN_INVALID, or CONFIG_INVALID with every mistake.
 */
export async function resolveModels(
  models: readonly ModelSettings[],
  placeOf = (n: number) => `models[${n}].`,
): Promise<ResolvedModel[]> {
  const violations: FieldViolation[] = [];
  const resolved: ResolvedModel[] = [];
  for (const [n, { name, plugin: specifier, config }] of models.entries()) {
    const plugin = await loadPlugin(specifier, `${placeOf(n)}plugin`);
    const parsed = plugin.config.safeParse(config, { reportInput: true });
    if (parsed.success)
      resolved.push({ plugin, spec: { namespace: '', name, plugin: specifier, config: parsed.data } });
    else violations.push(...violationsOf(`${placeOf(n)}config`, plugin, parsed.error.issues));
  }
  if (violations.length === 0) return resolved;
  const list = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
  throw new AccreteError('CONFIG_INVALID', `The configuration of models is wrong: ${list}`, { violations });
}

/** A value may break several rules of its setting, and what is said of each is all of them: once is enough. */
function violationsOf(prefix: string, plugin: Plugin, issues: readonly z.core.$ZodIssue[]): FieldViolation[] {
  const violations = issues.map((issue) => violationOf(prefix, plugin, issue));
  return violations.filter((one, n) => violations.findIndex((other) => isDeepStrictEqual(other, one)) === n);
}

function violationOf(prefix: string, plugin: Plugin, issue: z.core.$ZodIssue): FieldViolation {
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const schema = z.toJSONSchema(plugin.config, { io: 'input' });
  if (issue.code !== 'unrecognized_keys') {
    const node = issue.code === 'custom' ? undefined : findNode(issue.path, schema);
    const rule = node ? `it takes ${describeAllowed(node)}` : issue.message;
    return { field: prefix + path, description: `is ${show(issue.input)}: ${rule}` };
  }
  const [key] = issue.keys;
  const known = Object.keys(findNode(issue.path, schema)?.properties ?? {});
  const description = `is no setting of plugin ${plugin.name}: ${didYouMean(key, known)}it knows ${known.join(', ')}`;
  return { field: `${prefix}${path}.${key}`, description };
}
