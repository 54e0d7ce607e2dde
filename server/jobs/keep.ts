import { type ModelDescriptor, stateTablesOf } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { saveVersion } from '../teaching/state.ts';
import type { JobContext } from './job-context.ts';

/** A version that serves no more, and that nobody changes. */
export interface KeepTask {
  readonly descriptor: ModelDescriptor;
  readonly loadedMs: number;
  /** The last record that it learned. */
  readonly revision: number;
}

/** Saves it, so that it can be brought back as it was. Throws DISK_FULL, CHECKPOINT_FAILED. */
export async function* keep({ descriptor, loadedMs, revision }: KeepTask, context: JobContext): AsyncGenerator<'kept'> {
  const { arena, stateFolder } = context;
  const { name, version, plugin, config } = descriptor;
  const { stateVersion } = await loadPlugin(plugin);
  const saved = { name, version, loadedMs, plugin, stateVersion, config: { ...config } };
  await saveVersion(arena, stateFolder, saved, stateTablesOf(arena, descriptor), revision);
  yield 'kept';
}
