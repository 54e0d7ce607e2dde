import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Plugin } from '../../plugins/contract/index.ts';
import { findNearest } from '../config/nearest.ts';
import { AccreteError, type FieldViolation } from '../errors.ts';
import type { ModelSpec } from './model.ts';

/**
 * Finds a plugin by its module specifier: a bare name is a folder of `plugins/`, a path is a file (from the working
 * directory), anything with a scope or a slash is a package.
 */
export async function loadPlugin(specifier: string): Promise<Plugin> {
  const url = moduleOf(specifier);
  let module: { default?: unknown };
  try {
    module = await import(url);
  } catch (cause) {
    const message = `Plugin ${JSON.stringify(specifier)} cannot be loaded: ${(cause as Error).message}`;
    throw new AccreteError('PLUGIN_INVALID', message, { cause });
  }
  const missing = missingParts(module.default);
  if (missing.length > 0) {
    const message = `Plugin ${JSON.stringify(specifier)} lacks ${missing.join(', ')}: export default definePlugin({…})`;
    throw new AccreteError('PLUGIN_INVALID', message);
  }
  return module.default as Plugin;
}

/** What an import of the plugin names. */
export function moduleOf(specifier: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(specifier)) return new URL(`../../plugins/${specifier}/plugin.ts`, import.meta.url).href;
  if (specifier.startsWith('.') || specifier.startsWith('/')) return pathToFileURL(resolve(specifier)).href;
  return specifier;
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

export interface ModelSettings {
  readonly name: string;
  readonly plugin: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Loads the plugins of configured models and checks each configuration by its plugin's schema.
 * Throws PLUGIN_INVALID, or CONFIG_INVALID with every mistake.
 */
export async function resolveModels(models: readonly ModelSettings[]): Promise<ResolvedModel[]> {
  const violations: FieldViolation[] = [];
  const resolved: ResolvedModel[] = [];
  for (const [n, { name, plugin: specifier, config }] of models.entries()) {
    const plugin = await loadPlugin(specifier);
    const parsed = plugin.config.safeParse(config);
    if (parsed.success) resolved.push({ plugin, spec: { name, plugin: specifier, config: parsed.data } });
    else violations.push(...parsed.error.issues.map((issue) => violationOf(`models[${n}].config`, plugin, issue)));
  }
  if (violations.length === 0) return resolved;
  const list = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
  throw new AccreteError('CONFIG_INVALID', `The configuration of models is wrong: ${list}`, { violations });
}

function violationOf(prefix: string, plugin: Plugin, issue: z.core.$ZodIssue): FieldViolation {
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  if (issue.code !== 'unrecognized_keys') return { field: prefix + path, description: issue.message };
  const [key] = issue.keys;
  const known = Object.keys(z.toJSONSchema(plugin.config, { io: 'input' }).properties ?? {});
  const description = `is no setting of plugin ${plugin.name}: did you mean ${findNearest(key, known)}? It knows ${known.join(', ')}`;
  return { field: `${prefix}${path}.${key}`, description };
}
