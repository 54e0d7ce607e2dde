import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Takes the checkpoints of a store away that does not run, and leaves the files of versions. */
export function removeCheckpoints(data: string): void {
  const state = join(data, 'state');
  if (!existsSync(state)) return;
  for (const name of readdirSync(state)) if (name !== 'versions') rmSync(join(state, name), { recursive: true });
}
