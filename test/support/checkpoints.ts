import { cpSync, readdirSync, rmSync } from 'node:fs';
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

/** Takes the checkpoints away, not the versions. */
export function removeCheckpoints(data: string): void {
  cpSync(`${data}/state/versions`, `${data}/versions`, { recursive: true });
  rmSync(`${data}/state`, { recursive: true });
  cpSync(`${data}/versions`, `${data}/state/versions`, { recursive: true });
}
