import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './failure.ts';

/** Where a new plugin stands, and how it is used from the folder where the command was called. */
export interface NewPlugin {
  readonly folder: string;
  readonly files: readonly string[];
  /** Commands that test and serve it. */
  readonly test: string;
  readonly serve: string;
}

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const TEMPLATES = fileURLToPath(new URL('scaffold/', import.meta.url));
const FILES = ['plugin.ts', 'plugin.test.ts', 'README.md'];
/** What the templates are called, and what of the checkout they import. */
const TEMPLATE_NAME = /my-plugin/g;
const TEMPLATE_IMPORT = /'(?:\.\.\/){3}([^']+)'/g;
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * Makes a plugin in a folder of its name below `at`. Inside the checkout it imports the contract by its path; elsewhere
 * it gets a package.json, and links to the checkout, to zod and to Node as `npm link` makes them, so that nothing is installed.
 * Throws UsageError if the name cannot be one, or is taken.
 */
export function scaffoldPlugin(name: string, at: string, here = process.cwd()): NewPlugin {
  const folder = resolve(here, at, name);
  requireFree(name, folder);
  const { importOf, test, serve, isInside } = placeOf(name, folder, here);
  mkdirSync(folder, { recursive: true });
  for (const file of FILES) {
    const text = readFileSync(join(TEMPLATES, file), 'utf8')
      .replace(TEMPLATE_NAME, name)
      .replace(TEMPLATE_IMPORT, (_match, target: string) => `'${importOf(target)}'`)
      .replace('$TEST', test)
      .replace('$SERVE', serve);
    writeFileSync(join(folder, file), text);
  }
  if (!isInside) linkPackages(name, folder);
  return { folder, files: isInside ? FILES : [...FILES, 'package.json'], test, serve };
}

interface Place {
  readonly isInside: boolean;
  /** What a plugin in that folder writes to import a file of the checkout. */
  readonly importOf: (target: string) => string;
  readonly test: string;
  readonly serve: string;
}

/** What follows from where a plugin stands; `here` is where commands are called. */
export function placeOf(name: string, folder: string, here: string): Place {
  const isInside = folder.startsWith(CHECKOUT);
  const isOwn = dirname(folder) === join(CHECKOUT, 'plugins');
  const path = relative(here, folder);
  const specifier = isOwn ? name : `${path.startsWith('..') ? path : `./${path}`}/plugin.ts`;
  return {
    isInside,
    importOf: (target) => (isInside ? relative(folder, join(CHECKOUT, target)) : `accrete/${target}`),
    test: isInside ? `npm test -- ${relative(CHECKOUT, folder)}/plugin.test.ts` : 'npm test',
    serve: `npx accrete serve --models ${specifier} --data ./data-of-${name}`,
  };
}

function requireFree(name: string, folder: string): void {
  if (!NAME.test(name)) {
    const meant = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+|-$/g, '');
    const hint = NAME.test(meant) ? `, such as ${meant}` : '';
    throw new UsageError(
      `${JSON.stringify(name)} is no name for a plugin: it takes a lower-case letter, then a-z, 0-9 and -${hint}`,
    );
  }
  if (existsSync(join(CHECKOUT, 'plugins', name)))
    throw new UsageError(`there is a plugin ${name} already: choose another name`);
  if (existsSync(folder)) throw new UsageError(`${folder} exists: choose another name, or another place with --at`);
}

/** As `npm install` would leave it, were Accrete and zod installed from the checkout. */
function linkPackages(name: string, folder: string): void {
  const { engines, dependencies } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
    engines: object;
    dependencies: Record<string, string>;
  };
  const manifest = {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    exports: './plugin.ts',
    engines: { ...engines, node: '>=24' },
    scripts: { test: 'node --test plugin.test.ts' },
    dependencies: { zod: dependencies.zod },
    devDependencies: { accrete: `file:${CHECKOUT}` },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const link = (target: string, path: string) => symlinkSync(target, join(folder, 'node_modules', path));
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  link(CHECKOUT, 'accrete');
  // Where Accrete is a package, its own packages are beside it.
  link(dirname(findPackageJSON('zod', import.meta.url) as string), 'zod');
  // The machine's own Node may be too old to run TypeScript.
  const node = join(CHECKOUT, 'node_modules', '.bin', 'node');
  if (existsSync(node)) link(node, join('.bin', 'node'));
}
