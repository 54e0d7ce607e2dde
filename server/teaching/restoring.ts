import { AccreteError } from '../errors.ts';
import type { StateTables } from '../memory/table.ts';
import type { WritableWorld } from '../memory/world.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { restoreBlocks, restoreTables } from '../store/checkpoints/restore.ts';

/** Checkpoints from which one can go on with the records of a journal. */

export type OnDamage = (error: AccreteError, revision: number) => void;

/**
 * Those of `revisions` that a journal which begins at `firstRevision` continues, as far as they are good: all of each is
 * read once. `onDamage` hears of the others.
 */
export function* usableBases(
  folder: CheckpointFolder,
  revisions: readonly number[],
  firstRevision: number,
  onDamage: OnDamage,
): Generator<Manifest> {
  for (const revision of revisions) {
    if (revision + 1 < firstRevision) continue;
    try {
      const manifest = folder.manifest(revision);
      folder.verify(manifest);
      yield manifest;
    } catch (error) {
      const failure = AccreteError.wrap(error);
      if (failure.reason !== 'STORE_DAMAGED') throw failure;
      onDamage(failure, revision);
    }
  }
}

/** Fills a world without a rating. Throws STORE_DAMAGED, MEMORY_FULL. */
export function restoreWorld(folder: CheckpointFolder, manifest: Manifest, world: WritableWorld): void {
  restoreTables(folder, manifest, tablesIn(manifest, world));
  restoreBlocks(folder, manifest, world.features);
  world.kinds.configure(manifest.decided.kinds ?? {});
  world.rebuild();
}

/** A checkpoint of an earlier version has nothing of experiments. */
function tablesIn({ tables }: Manifest, world: WritableWorld): StateTables {
  const all = Object.entries(world.stateTables());
  const has = Object.keys(tables).some((key) => key.startsWith(LEDGER));
  return Object.fromEntries(has ? all : all.filter(([key]) => !key.startsWith(LEDGER)));
}

const LEDGER = 'ledger.';

/** The revision from which on a model has learned every record that began with what was live in a checkpoint. */
export function exactFrom({ revision }: Pick<Manifest, 'revision'>): number {
  return revision + 1;
}
