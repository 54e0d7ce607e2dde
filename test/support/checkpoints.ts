import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './client.ts';

/** What tests of checkpoints ask. */

/** Hashes over all state that models `names` have and share, and what their tables come to. */
export async function stateOf(client: Client, names: readonly string[]) {
  const states = await Promise.all(names.map((name) => client.getModel(name)));
  return states.map(({ hash, hashes, model }) => ({ hash, hashes, revision: model?.revision, tables: model?.tables }));
}

/** Paths of the checkpoints' files, the newest first. */
export function checkpointFiles(data: string): string[] {
  const folder = join(data, 'state');
  const names = readdirSync(folder).filter((name) => name.endsWith('.mdb'));
  return names
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}
