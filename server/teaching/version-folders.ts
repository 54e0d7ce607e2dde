import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { type LoadedModel, versionsOf } from '../store/control.ts';
import { namesIn } from '../store/durable-files.ts';

/** The folders with the files of versions of models: what is asked of them without LMDB, which takes memory. */

/** In the folder of checkpoints. */
const VERSIONS = 'versions';

/** Where the files of a version are: each has it as of the record that names the file. */
export function versionFolder(state: string, model: string, version: string): CheckpointFolder {
  return new CheckpointFolder(join(state, VERSIONS, `${model}@${version}`));
}

/** Bytes on disk of a version: 0 where it has no file. */
export function versionBytes(state: string, model: string, version: string): number {
  const folder = versionFolder(state, model, version);
  return folder.revisions.reduce((sum, revision) => sum + folder.bytesOf(revision), 0);
}

/**
 * Removes the files of versions, all but those that are kept of these models; with `only`, of the model of that name alone.
 */
export function tidyVersions(state: string, models: readonly LoadedModel[], only?: string): void {
  const folder = join(state, VERSIONS);
  const kept = new Set(models.flatMap((model) => versionsOf(model).map(({ version }) => `${model.name}@${version}`)));
  for (const name of namesIn(folder)) {
    const isMeant = only === undefined || name.slice(0, name.lastIndexOf('@')) === only;
    if (isMeant && !kept.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** At a start, when nobody writes: removes what a process that was killed had not finished writing. */
export function tidyDrafts(state: string): void {
  new CheckpointFolder(state).removeDrafts();
  for (const { name, version } of listVersions(state)) versionFolder(state, name, version).removeDrafts();
}

/** The versions that have files. */
export function listVersions(state: string): { readonly name: string; readonly version: string }[] {
  return namesIn(join(state, VERSIONS)).map((entry) => {
    const at = entry.lastIndexOf('@');
    return { name: entry.slice(0, at), version: entry.slice(at + 1) };
  });
}
