import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** From the repository's root. */
  readonly path: string;
  /** Empty for what is no text. */
  readonly text: string;
  /** Paths from the root, or names of packages; those of types included. */
  readonly imports: readonly string[];
}

/** One law of the tree, as a pure function, so that planted examples show that it can fail. */
export interface Rule {
  readonly name: string;
  readonly remedy: string;
  /** One line for each violation, beginning with the file's path. */
  find(files: readonly SourceFile[]): string[];
  /** Trees that break the rule, each in its own way. */
  readonly broken: readonly (readonly SourceFile[])[];
  /** Trees that keep it, but barely. */
  readonly kept: readonly (readonly SourceFile[])[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NO_TEXT = /\.(csv|png|ico|binpb|wasm|gz|xz|zst)$/;

/** Every file that git knows or would take. Undefined where this is no git checkout. */
export function readTree(): SourceFile[] | undefined {
  const { status, stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  if (status !== 0) return undefined;
  const paths = new Set(stdout.split('\0').filter((path) => path !== '' && existsSync(ROOT + path)));
  return [...paths].map((path) => source(path, NO_TEXT.test(path) ? '' : readFileSync(ROOT + path, 'utf8')));
}

export function source(path: string, text: string): SourceFile {
  return { path, text, imports: /\.(ts|mjs)$/.test(path) ? findImports(path, text) : [] };
}

/** A file of which only the imports matter. */
export function importer(path: string, ...imports: string[]): SourceFile {
  return { path, text: '', imports };
}

const IMPORTS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"$]+)['"]/gm,
  /^\s*import\s*['"]([^'"$]+)['"]/gm,
  /\bimport\(\s*['"]([^'"$]+)['"]/g,
];

export function findImports(path: string, text: string): string[] {
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)]).map(([, specifier = '']) => {
    if (!specifier.startsWith('.')) return specifier;
    const target = posix.join(posix.dirname(path), specifier);
    // AssemblyScript's imports have no suffix.
    return path.endsWith('.as.ts') ? `${target.replace(/\.ts$/, '')}.ts` : target;
  });
}
