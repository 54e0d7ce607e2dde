import { isDeepStrictEqual } from 'node:util';
import { AccreteError } from '../errors.ts';
import { loadedPlugin, type ResolvedModel } from '../models/plugins.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { hasModelTables } from './state.ts';
import type { Tenure } from './succession.ts';

/** A model as a version of it was: its plugin, and those of its settings that this has by now too, completed by its schema. */
export function asIn(
  { plugin: now, spec }: ResolvedModel,
  { plugin: specifier, config }: Pick<Tenure, 'plugin' | 'config'>,
): ResolvedModel {
  const plugin = specifier === spec.plugin ? now : (loadedPlugin(specifier) ?? now);
  const parsed = plugin.config.safeParse(config);
  return parsed.success ? { plugin, spec: { ...spec, plugin: specifier, config: parsed.data } } : { plugin, spec };
}

/** What the file of a version has, as of record `from`, once every byte of it is found good. Throws STORE_DAMAGED. */
export function readVersion(
  folder: CheckpointFolder,
  from: number,
  version: Pick<Tenure, 'config'>,
  resolved: ResolvedModel,
): Manifest {
  const manifest = folder.manifest(from);
  requireReadable(manifest, version, resolved);
  folder.verify(manifest);
  return manifest;
}

/** What wrote the file must have laid out its tables as this start does. */
function requireReadable(
  manifest: Manifest,
  { config }: Pick<Tenure, 'config'>,
  { plugin, spec }: ResolvedModel,
): void {
  const saved = manifest.models.find((model) => model.name === spec.name);
  if (saved?.stateVersion !== plugin.stateVersion) {
    const message = `its file has state version ${saved?.stateVersion} of its plugin, and the plugin has ${plugin.stateVersion} by now`;
    throw new AccreteError('STORE_DAMAGED', message);
  }
  if (!hasModelTables(manifest, spec, plugin))
    throw new AccreteError('STORE_DAMAGED', 'its file has other tables than its plugin declares by now');
  if (!isDeepStrictEqual(saved.config, JSON.parse(JSON.stringify(config))))
    throw new AccreteError('STORE_DAMAGED', 'its file is of a model with other settings');
}
