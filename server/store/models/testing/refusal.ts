import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { AccreteError } from '../../../errors.ts';
import { type ModelFile, openModelFile } from '../model-file.ts';

/** Why a file is refused as foreign when it is opened and read; undefined: it is not. `bytes`: what is written there first. */
export function refusalOf(path: string, read: (file: ModelFile) => unknown, bytes?: Uint8Array): string | undefined {
  if (bytes) writeFileSync(path, bytes);
  try {
    const file = openModelFile(path);
    try {
      read(file);
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof AccreteError)) throw error;
    assert.equal(error.reason, 'FILE_FOREIGN', error.message);
    return error.message;
  }
  return undefined;
}
