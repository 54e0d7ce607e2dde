import { existsSync } from 'node:fs';
import { AccreteError, type FieldViolation } from '../errors.ts';
import { readEnvironment } from './environment.ts';
import { explain } from './explain.ts';
import { readFile, readTree } from './file.ts';
import { readFlags } from './flags.ts';
import type { Entry, Layer, Source } from './layer.ts';
import { type Config, type ConfigInput, configSchema } from './schema.ts';
import { settings } from './settings.ts';

export interface ConfigSources {
  /** The configuration file. Left out: `accrete.yaml` of the working directory, if there is one. `--config` wins. */
  readonly file?: string;
  /** The environment, of which `ACCRETE_…` is read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The arguments of the command line. */
  readonly flags: readonly string[];
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where each setting's value came from, by its path. */
  readonly sources: ReadonlyMap<string, Source>;
}

const DEFAULT_FILE = 'accrete.yaml';

/**
 * Puts the configuration together: defaults, then the file, the environment and the flags; the later wins, key by key,
 * and a list is replaced as a whole.
 *
 * @throws AccreteError CONFIG_INVALID with every mistake of every source
 */
export function loadConfig({ file, env, flags }: ConfigSources): LoadedConfig {
  const flagLayer = readFlags(flags);
  const path = flagLayer.file ?? file ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  const fileLayers = path === undefined ? [] : [readFile(path)];
  return resolve([...fileLayers, readEnvironment(env), flagLayer]);
}

/**
 * Completes a configuration that a program gives, looking at nothing else.
 *
 * @throws AccreteError CONFIG_INVALID with every mistake
 */
export function parseConfig(input: ConfigInput): LoadedConfig {
  return resolve([readTree(input, () => 'the given configuration')]);
}

function resolve(layers: readonly Layer[]): LoadedConfig {
  const entries = new Map(layers.flatMap((layer) => [...layer.entries]));
  const result = configSchema.safeParse(nest(entries));
  const violations = layers.flatMap((layer) => layer.violations);
  if (!result.success) violations.push(...explain(result.error.issues, entries));
  if (!result.success || violations.length > 0) throw invalid(violations);
  const sources = new Map<string, Source>([...settings.keys()].map((path) => [path, 'default']));
  for (const layer of layers) for (const path of layer.entries.keys()) sources.set(path, layer.source);
  return { config: result.data, sources };
}

/** The entries as a nested object: `rating.min` becomes a `min` in a `rating`. */
function nest(entries: ReadonlyMap<string, Entry>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, { value }] of entries) {
    const [section, key] = path.split('.');
    root[section] = key === undefined ? value : { ...(root[section] as object | undefined), [key]: value };
  }
  return root;
}

function invalid(violations: readonly FieldViolation[]): AccreteError {
  const lines = violations.map(({ field, description }) => `\n  ${field}: ${description}`);
  const count = violations.length === 1 ? 'a mistake' : `${violations.length} mistakes`;
  return new AccreteError('CONFIG_INVALID', `the configuration has ${count}:${lines.join('')}`, { violations });
}
