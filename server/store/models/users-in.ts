import { AccreteError } from '../../errors.ts';
import { openModelFile } from './model-file.ts';

/** Which of the users a file names; undefined: it is no model file. */
export function findUsers(path: string, users: { has(userId: string): boolean }): Set<string> | undefined {
  const named = new Set<string>();
  try {
    const file = openModelFile(path);
    try {
      for (const id of file.users.texts()) if (users.has(id)) named.add(id);
    } finally {
      file.close();
    }
  } catch (error) {
    // Somebody may have removed it meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return named;
    if (error instanceof AccreteError) return undefined;
    throw error;
  }
  return named;
}
