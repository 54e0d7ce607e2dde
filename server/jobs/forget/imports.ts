import type { Removal } from '../../exchange/forgetting.ts';
import type { ImportFolder } from '../../store/models/import-folder.ts';
import { findUsers } from '../../store/models/users-in.ts';
import type { Meter } from '../meter.ts';

/**
 * Imported model files that name users. What others' rows took from someone's ratings cannot be taken out of such a file,
 * since nobody here has those ratings: it is removed whole, and whoever made it makes it again without them.
 */

/** The names of the files of each user. One that is no model file (any more) may have anybody. */
export function findImports(userIds: readonly string[], folder: ImportFolder, meter: Meter): string[][] {
  const found = new Map(userIds.map((userId) => [userId, [] as string[]]));
  const files = folder.list();
  meter.begin('imports', 'files', files.length);
  for (const { name } of files) {
    for (const userId of findUsers(folder.pathOf(name), found) ?? userIds) found.get(userId)?.push(name);
    meter.add();
  }
  return userIds.map((userId) => found.get(userId) ?? []);
}

/** Removes those that name any of the users; tells of each user which. */
export async function removeImports(
  userIds: readonly string[],
  folder: ImportFolder,
  meter: Meter,
): Promise<Removal[][]> {
  const found = findImports(userIds, folder, meter);
  for (const name of new Set(found.flat())) await folder.remove(name);
  return found.map(removalsOf);
}

export function removalsOf(imports: readonly string[]): Removal[] {
  return imports.map((name) => ({ place: `import:${name}`, count: 1 }));
}
