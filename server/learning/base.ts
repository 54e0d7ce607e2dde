import { isDeepStrictEqual } from 'node:util';
import { AccreteError } from '../errors.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { type LoadedModel, versionOf } from '../store/control.ts';
import type { Decided, Deployment } from '../store/deployment.ts';
import type { Journal } from '../store/journal.ts';

/** The checkpoint that a start begins from: the newest good one. */

/**
 * Finds it, and reads all of it once. `onDamage` hears of those that cannot be used. Throws STORE_DAMAGED when the newest
 * goes beyond the journal.
 */
export function findBase(
  folder: CheckpointFolder,
  journal: Journal,
  onDamage: (error: AccreteError) => void,
): Manifest | undefined {
  for (const revision of folder.revisions) {
    if (revision > journal.lastRevision) throw beyond(folder.pathOf(revision), revision, journal.lastRevision);
    if (revision + 1 < journal.firstRevision) return undefined;
    try {
      const manifest = folder.manifest(revision);
      folder.verify(manifest);
      return manifest;
    } catch (error) {
      const failure = AccreteError.wrap(error);
      if (failure.reason !== 'STORE_DAMAGED') throw failure;
      onDamage(failure);
    }
  }
  return undefined;
}

/** What was decided up to a checkpoint. */
export function decidedIn({ decided: { scenarios, ...settings } }: Manifest): Decided {
  return { ...settings, scenarios: new Map(scenarios.map((scenario) => [scenario.name, scenario])) };
}

/**
 * Whether a start can go on from a checkpoint: it has what each model needs of what is before it. A model that it has not
 * must learn the journal from the first record, and with it all others.
 */
export function fits(manifest: Manifest, deployment: Deployment, models: readonly ResolvedModel[]): boolean {
  const { decided } = manifest;
  const { rating, evaluation } = deployment;
  if (!isDeepStrictEqual([decided.rating, decided.evaluation], [rating, evaluation])) return false;
  return models.every((resolved) => {
    const choice = deployment.models.find(({ name }) => name === resolved.spec.name) as LoadedModel;
    return versionOf(choice).from >= manifest.revision || has(manifest, choice, resolved);
  });
}

/** Whether a checkpoint has a model as its plugin, its configuration and its version are now. */
export function has(manifest: Manifest, choice: LoadedModel, { plugin, spec }: ResolvedModel): boolean {
  const saved = manifest.models.find(({ name }) => name === choice.name);
  const { version } = versionOf(choice);
  if (saved?.version !== version || (version !== '1' && saved.loadedMs !== choice.loadedMs)) return false;
  if (saved.plugin !== spec.plugin || saved.stateVersion !== plugin.stateVersion) return false;
  return isDeepStrictEqual(saved.config, JSON.parse(JSON.stringify(spec.config)));
}

function beyond(path: string, revision: number, last: number): AccreteError {
  const message =
    `the checkpoint ${path} is at revision ${revision}, and the journal ends at ${last}: its newest files are gone. ` +
    'Restore them from a backup';
  return new AccreteError('STORE_DAMAGED', message, { metadata: { path, revision: String(revision) } });
}
