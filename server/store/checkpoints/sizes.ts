import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AccreteError } from '../../errors.ts';
import { revisionText } from '../../memory/revisions.ts';
import { VERSIONS } from '../archive/pack.ts';
import { CheckpointFolder } from './checkpoint-folder.ts';
import { filesOf } from './manifest.ts';

/** What a state folder holds, for whoever looks at it from outside; nothing is verified, and nothing changed. */
export interface StateSizes {
  /** Of all that is in it. */
  readonly bytes: number;
  /** Those that can be restored, as far as their manifests say, the latest first. */
  readonly checkpoints: readonly CheckpointSize[];
  /** Why the others cannot: files that are kept for their pieces alone are not among them. */
  readonly damaged: readonly string[];
  readonly versions: { readonly files: number; readonly bytes: number };
}

export interface CheckpointSize {
  readonly revision: string;
  readonly createdMs: number;
  /** What a checkpoint with the same content takes, written whole; and in how many files it is. */
  readonly bytes: number;
  readonly files: number;
}

export function measureState(path: string): StateSizes {
  const folder = new CheckpointFolder(path);
  const checkpoints: CheckpointSize[] = [];
  const damaged: string[] = [];
  for (const revision of folder.revisions) {
    try {
      const manifest = folder.manifest(revision);
      const files = filesOf(manifest);
      if (!folder.hasFilesOf(manifest)) continue;
      const bytes = [...files.values()].reduce((sum, each) => sum + each, 0);
      checkpoints.push({ revision: revisionText(revision), createdMs: manifest.createdMs, bytes, files: files.size });
    } catch (error) {
      damaged.push(AccreteError.wrap(error).message);
    }
  }
  folder.close();
  const versions = sizesIn(join(path, VERSIONS));
  return {
    bytes: sum(sizesIn(path)),
    checkpoints,
    damaged,
    versions: { files: versions.length, bytes: sum(versions) },
  };
}

function sizesIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) => {
    if (!entry.isFile() || entry.name.endsWith('-lock')) return [];
    // A file may go while one looks.
    const stats = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    return stats ? [stats.size] : [];
  });
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
