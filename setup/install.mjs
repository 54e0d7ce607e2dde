import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter } from 'node:path';
import { report, run } from './process.mjs';

const NODE_MAJOR_MIN = 24;
/** npm's own list of what it installed, written last: an install that was interrupted has none. */
const INSTALLED = 'node_modules/.package-lock.json';

/**
 * A package in package-lock.json, or in the list that npm keeps of what it installed.
 *
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean,
 *   os?: string | string[], cpu?: string | string[] }} Package
 */

/** Installs what package-lock.json says when node_modules holds anything else. */
export async function ensureInstalled() {
  const locked = readPackages('package-lock.json');
  if (!locked) throw new Error('package-lock.json is missing: restore it with `git checkout package-lock.json`');
  const installed = readPackages(INSTALLED);
  if (installed && isInstalled(locked, installed)) return;
  report('installing the packages of package-lock.json (npm ci)');
  rmSync(INSTALLED, { force: true });
  await run('npm', ['ci', '--no-progress'], machineEnvironment());
}

/**
 * Whether `installed` is what `locked` asks for on this platform. An optional package may be absent: most are for
 * another one.
 *
 * @param {Record<string, Package>} locked by folder
 * @param {Record<string, Package>} installed by folder
 * @param {{ platform: string, arch: string }} machine
 */
export function isInstalled(locked, installed, machine = process) {
  for (const [folder, { version, integrity, optional, devOptional }] of Object.entries(locked)) {
    const found = installed[folder];
    if (folder === '' || (!found && (optional || devOptional))) continue;
    if (found?.version !== version || found?.integrity !== integrity) return false;
  }
  return Object.entries(installed).every(
    ([folder, { os, cpu }]) => folder in locked && fits(os, machine.platform) && fits(cpu, machine.arch),
  );
}

/**
 * npm's rule for `os` and `cpu`: a list of names, or of names refused with `!`.
 *
 * @param {string | string[] | undefined} wanted
 * @param {string} actual
 */
function fits(wanted, actual) {
  const names = [wanted ?? []].flat();
  if (names.includes(`!${actual}`)) return false;
  return names.every((name) => name.startsWith('!')) || names.includes(actual);
}

/** Throws when the `node` that the scripts beside this file will run is too old. */
export function requireNode() {
  if (major(process.versions.node) >= NODE_MAJOR_MIN) return;
  const { stdout } = spawnSync('node', ['--version'], { encoding: 'utf8' });
  if (major(stdout?.slice(1) ?? '') >= NODE_MAJOR_MIN) return;
  const name = `node-${process.platform}-${process.arch}`;
  throw new Error(
    `Node ${NODE_MAJOR_MIN} or newer is needed, and this machine has ${process.versions.node}. ` +
      (readPackages('package-lock.json')?.[`node_modules/${name}`]
        ? `npm should have installed one (${name}, an optional package): run \`npm ci --include=optional\` and look for its error.`
        : `npm has none for ${process.platform} on ${process.arch}: install it from your system's packages or nodejs.org.`),
  );
}

/** @param {string} version */
function major(version) {
  return Number.parseInt(version, 10) || 0;
}

/**
 * @param {string} file
 * @returns {Record<string, Package> | undefined} by folder
 */
function readPackages(file) {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** Without node_modules/.bin in the path: npm must not run on the very Node that it is about to replace. */
function machineEnvironment() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return { ...process.env, PATH: folders.filter((folder) => !folder.endsWith('node_modules/.bin')).join(delimiter) };
}
