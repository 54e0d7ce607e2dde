// Makes the package that npm publishes, in build/package, and packs it: build/accrete-<version>.tgz. The checkout itself is
// none: Node strips no types of what is installed, so the package has the JavaScript, the kernels and the generated code.

import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFiles, writeWhole } from './build.mjs';
import { run } from './process.mjs';

const PACKAGE = 'build/package';

/** What is taken as it is, besides kernels and descriptors: from where, to where. */
const COPIES = [
  ['LICENSE', 'LICENSE'],
  ['CHANGELOG.md', 'CHANGELOG.md'],
  ['docs/package.md', 'README.md'],
  ['setup/package-bin.mjs', 'bin/accrete.mjs'],
  ['setup/warm.sh', 'warm.sh'],
  ['proto/accrete', 'proto/accrete'],
  ['proto/third_party', 'proto/third_party'],
  ['clients/cli/scaffold', 'clients/cli/scaffold'],
  ['clients/service-config.json', 'clients/service-config.json'],
];

/** Modules that are named by their URL: the compiler only follows imports. */
const MODULE_URL = /(\bnew URL\((['"`])[^'"`]*)\.ts(\2,)/g;

const LEFT_OVER = /\bnew URL\([^)]*\.ts['"`]/;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync(PACKAGE, { recursive: true, force: true });
await run('node_modules/.bin/tsc', ['--project', 'setup/tsconfig.package.json']);
for (const file of findFiles(PACKAGE, '.js')) nameModules(file);
const made = ['server', 'plugins'].flatMap((folder) => findFiles(folder, '.wasm'));
for (const file of [...made, 'proto/gen/descriptors.binpb']) copy(file, file);
for (const [from = '', to = ''] of COPIES) copy(from, to);
chmodSync(join(PACKAGE, 'bin/accrete.mjs'), 0o755);
writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`);
if (!process.argv.includes('--unpacked'))
  await run('npm', ['pack', `./${PACKAGE}`, '--pack-destination', 'build', '--silent']);

/** @param {string} file */
function nameModules(file) {
  const text = readFileSync(file, 'utf8');
  const named = text.replace(MODULE_URL, '$1.js$3');
  if (named !== text) writeWhole(file, named);
  if (LEFT_OVER.test(named)) throw new Error(`${file} names a module in a way that setup/package.mjs does not know`);
}

/**
 * @param {string} from
 * @param {string} to
 */
function copy(from, to) {
  const target = join(PACKAGE, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(from, target, { recursive: true });
}

/** That of the checkout, less what only a checkout needs: a Node of its own, and tools. */
function manifest() {
  const { name, version, description, license, type, dependencies, peerDependencies, peerDependenciesMeta } =
    JSON.parse(readFileSync('package.json', 'utf8'));
  return {
    name,
    version,
    description,
    license,
    type,
    keywords: ['recommender', 'grpc', 'online-learning', 'collaborative-filtering'],
    engines: { node: '>=24' },
    bin: { accrete: 'bin/accrete.mjs' },
    exports: {
      '.': { types: './server/server.d.ts', default: './server/server.js' },
      './contract': { types: './plugins/contract/index.d.ts', default: './plugins/contract/index.js' },
      // As plugins and programs in a checkout name files.
      './*.ts': { types: './*.d.ts', default: './*.js' },
      './*': './*',
    },
    dependencies,
    peerDependencies,
    peerDependenciesMeta,
  };
}
