import { statSync } from 'node:fs';
import { storeFailure } from '../store/failure.ts';
import { checkModelFile } from '../store/models/check.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import { openModelFile, type TableSize, tableSizes } from '../store/models/model-file.ts';
import { damagedFile, importExists, userForgotten } from '../store/models/refusals.ts';
import { findUsers } from '../store/models/users-in.ts';
import { hashFile } from './hash-file.ts';
import type { JobContext } from './job-context.ts';
import type { Meter } from './meter.ts';

export interface ImportModelTask {
  readonly name: string;
  /** Of its bytes, in hexadecimal. */
  readonly sha256: string;
  /** Where its bytes are; undefined: there is one of this name already, and it is asked whether it is the same. */
  readonly draft: string | undefined;
  /** Users whom a draft must not name. */
  readonly without: readonly string[];
}

/**
 * Checks a model file from its first byte to its last, and gives it its name. Nothing that it names is loaded. Throws
 * FILE_DAMAGED, FILE_FOREIGN, IMPORT_EXISTS, USER_FORGOTTEN, DISK_FULL.
 */
export async function* importModel(
  { name, sha256, draft, without }: ImportModelTask,
  { config, meter }: JobContext,
): AsyncGenerator<readonly TableSize[]> {
  const folder = new ImportFolder(config.data);
  const path = draft ?? folder.pathOf(name);
  if ((await hashFile(path, meter)) !== sha256) {
    if (draft === undefined) throw importExists(name);
    throw damagedFile(name, 'its SHA-256 is not the one that came with it');
  }
  const tables = check(path, name, meter);
  if (draft !== undefined) {
    if (without.length > 0 && findUsers(path, new Set(without))?.size !== 0) throw userForgotten(name);
    try {
      await folder.keep(draft, name);
    } catch (error) {
      throw storeFailure(error, 'CHECKPOINT_FAILED', `${name} was not kept`, 'see the cause in the log');
    }
  }
  yield tables;
}

function check(path: string, name: string, meter: Meter): TableSize[] {
  const file = openModelFile(path, name);
  try {
    meter.begin('check', 'bytes', statSync(path).size);
    checkModelFile(file, (bytes) => meter.add(bytes));
    return tableSizes(file);
  } finally {
    file.close();
  }
}
