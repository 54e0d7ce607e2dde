import { existsSync, readdirSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import accrete from '../package.json' with { type: 'json' };
import type { Source } from './config/layer.ts';
import { type ConfigSources, loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { settings } from './config/settings.ts';
import { AccreteError, type PlainError } from './errors.ts';
import { revisionText } from './memory/revisions.ts';
import { requireInputs } from './models/input-rules.ts';
import { resolveModels } from './models/plugins.ts';
import { measureState, type StateSizes } from './store/checkpoints/sizes.ts';
import { diskBytes } from './store/durable-files.ts';
import { findFormat, STORE_FORMAT } from './store/format.ts';
import { firstRevisionOf } from './store/link-chain.ts';
import { findHolder, type Holder } from './store/lock.ts';
import { ImportFolder, type ImportSize } from './store/models/import-folder.ts';
import { type DeviceExamination, examineDevices } from './tensor/device-handle.ts';

/** What a server would find if it was started now: nothing is started, and nothing is changed. */
export interface Examination {
  readonly versions: { readonly accrete: string; readonly node: string; readonly storeFormat: number };
  /** Why the configuration, or a plugin that it names, cannot be used. */
  readonly faults: readonly PlainError[];
  /** Every setting; absent when the configuration cannot be read. */
  readonly settings?: readonly { readonly key: string; readonly value: unknown; readonly source: Source }[];
  readonly data?: DataFolder;
  /** Devices for refits: which there are, and which one is used. */
  readonly devices?: DeviceExamination;
  /** Of this machine, in bytes. */
  readonly memory: { readonly total: number };
}

export interface DataFolder {
  readonly path: string;
  /** False: the first start makes it. */
  readonly exists: boolean;
  /** Of all that is in it. */
  readonly bytes: number;
  /** The format of what is in it; undefined when it is empty, or does not say. */
  readonly format: number | undefined;
  readonly journal: {
    readonly links: number;
    readonly bytes: number;
    readonly firstLinkFrom: string;
    readonly lastLinkFrom: string;
  };
  readonly state: StateSizes;
  /** Model files from elsewhere, by name. */
  readonly imports: readonly ImportSize[];
  /** The server that uses it now. */
  readonly holder: Holder | 'unknown' | undefined;
  readonly disk: { readonly free: number; readonly total: number } | undefined;
}

/** Looks at the configuration as a start would read it, at the plugins that it names, and at the data folder. */
export async function examine(sources: ConfigSources): Promise<Examination> {
  const versions = { accrete: accrete.version, node: process.version, storeFormat: STORE_FORMAT };
  const memory = { total: totalmem() };
  try {
    const { config, sources: places } = loadConfig(sources);
    const listed = [...settings.keys()].map((key) => ({
      key,
      value: settingOf(config, key),
      source: places.get(key) ?? 'default',
    }));
    const faults = await faultsOf(async () => requireInputs(await resolveModels(config.models)));
    const devices = await examineDevices(config.device);
    return { versions, faults, settings: listed, data: await examineFolder(config.data), memory, devices };
  } catch (error) {
    return { versions, faults: [AccreteError.wrap(error).toJSON()], memory };
  }
}

async function faultsOf(attempt: () => Promise<unknown>): Promise<PlainError[]> {
  try {
    await attempt();
    return [];
  } catch (error) {
    return [AccreteError.wrap(error).toJSON()];
  }
}

async function examineFolder(folder: string): Promise<DataFolder> {
  const path = resolve(folder);
  const exists = existsSync(path);
  const files = exists ? filesIn(path) : [];
  const links = files.flatMap(({ name, folder: place, bytes }) => {
    const first = place === join(path, 'journal') ? firstRevisionOf(name) : undefined;
    return first === undefined ? [] : [{ first, bytes }];
  });
  const firsts = links.map(({ first }) => first).sort((a, b) => a - b);
  return {
    path,
    exists,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    format: exists ? findFormat(path) : undefined,
    journal: {
      links: links.length,
      bytes: links.reduce((sum, { bytes }) => sum + bytes, 0),
      firstLinkFrom: textOf(firsts.at(0)),
      lastLinkFrom: textOf(firsts.at(-1)),
    },
    state: measureState(join(path, 'state')),
    imports: new ImportFolder(path).list(),
    holder: exists ? findHolder(path) : undefined,
    disk: await diskBytes(nearestFolder(path)),
  };
}

function textOf(revision: number | undefined): string {
  return revision === undefined ? '' : revisionText(revision);
}

function filesIn(folder: string): { readonly name: string; readonly folder: string; readonly bytes: number }[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    // A file may go while one looks.
    const stats = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    return stats ? [{ name: entry.name, folder: entry.parentPath, bytes: stats.size }] : [];
  });
}

/** The folder itself, or the nearest above it that exists. */
function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path));
}

function settingOf(config: Config, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], config);
}
