import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report } from './process.mjs';

/**
 * Something that is made from other files.
 *
 * 1. `make` is a function of the contents of `inputs`, which name its own source and what says the tools' versions.
 * 2. `make` replaces the output in one rename, since a server may be reading it.
 *
 * @typedef {{ output: string, inputs: string[], describe: string, make: () => Promise<void> }} Target
 */

/**
 * Makes those targets whose output is missing or was made from other inputs.
 *
 * @param {Target[]} targets
 * @param {string} [file] keeps the hashes of the inputs that each output was made from
 * @param {(line: string) => void} [say] is told what is made, and nothing when nothing is
 */
export async function bringUpToDate(targets, file = 'build/stamps.json', say = report) {
  /** @type {Record<string, string>} */
  const stamps = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  for (const { output, inputs, describe, make } of targets) {
    const hash = hashOf(inputs);
    if (stamps[output] === hash && existsSync(output)) continue;
    const startMs = performance.now();
    say(describe);
    await make();
    say(`  done in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    stamps[output] = hash;
    writeWhole(file, JSON.stringify(stamps, undefined, 2));
  }
}

/** @param {string[]} files */
function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/**
 * Writes a file so that a reader sees all of it or what was there before.
 *
 * @param {string} file
 * @param {string | Uint8Array} content
 */
export function writeWhole(file, content) {
  mkdirSync(join(file, '..'), { recursive: true });
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

/**
 * The files under `folder`, at any depth, whose names end with `suffix`.
 *
 * @param {string} folder
 * @param {string} suffix
 * @returns {string[]}
 */
export function findFiles(folder, suffix) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : findFiles(path, suffix);
    return path.endsWith(suffix) ? [path] : [];
  });
}
