import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { findFiles, writeWhole } from './build.mjs';

const FLAGS = [
  '-O3',
  '--noAssert',
  ...['--runtime', 'stub'],
  '--importMemory',
  '--sharedMemory',
  ...['--initialMemory', '1'],
  ...['--maximumMemory', '65536'],
  ...['--enable', 'simd'],
  ...['--enable', 'threads'],
];

const STATIC_DATA = /^ \(data /m;

/** What kernels over one shared memory must not hold: found in the compiled text, told with what to do. */
const REFUSED = [
  {
    pattern: /\bmemory\.grow\b/,
    what: 'allocates, but the memory belongs to the host',
    remedy: 'no `new`, closures, strings or arrays: let the caller pass the addresses of its buffers',
  },
  {
    pattern: /^ \(elem /m,
    what: 'holds a table of functions',
    remedy: 'call functions directly, not through variables',
  },
  {
    pattern: /^ \(import (?!"env" "memory")/m,
    what: 'imports more than the memory',
    remedy: 'no assert, trace, Math.random or declared functions',
  },
  {
    pattern: STATIC_DATA,
    what: 'holds static data, which would overwrite what other kernels keep at the same addresses',
    remedy: 'no strings, array literals or StaticArray, and of Math only what compiles without tables',
  },
];

/**
 * One target for each `kernels.as.ts` below server/ and plugins/: it becomes `kernels.wasm` beside it. Other files that end
 * in `.as.ts` are parts of one.
 *
 * @returns {import('./build.mjs').Target[]}
 */
export function kernelTargets() {
  return ['server', 'plugins']
    .flatMap((folder) => findFiles(folder, '/kernels.as.ts'))
    .map((source) => {
      const output = source.replace(/\.as\.ts$/, '.wasm');
      return {
        output,
        inputs: [...withImports(source), 'node_modules/assemblyscript/package.json', 'setup/kernels.mjs'],
        describe: `compiling ${source}`,
        make: async () => writeWhole(output, await compileKernel(source)),
      };
    });
}

/**
 * Compiles AssemblyScript to a module without static data. Kernels must give the same bits on every machine: relaxed SIMD
 * does not compile.
 *
 * @param {string} source
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function compileKernel(source) {
  let { wasm, text } = await compile(source, FLAGS);
  // At -O3 log, exp and pow bring lookup tables as static data; a shrink level makes them compute instead.
  if (STATIC_DATA.test(text)) ({ wasm, text } = await compile(source, [...FLAGS, '--shrinkLevel', '1']));
  const reasons = REFUSED.filter(({ pattern }) => pattern.test(text)).map(({ what, remedy }) => `${what}: ${remedy}`);
  if (reasons.length > 0)
    throw new Error(`${source} is refused.${reasons.map((reason) => `\n  It ${reason}.`).join('')}`);
  return wasm;
}

/**
 * @param {string} source
 * @param {string[]} flags
 */
async function compile(source, flags) {
  const { default: asc } = await import('assemblyscript/asc');
  /** @type {Map<string, string | Uint8Array>} */
  const made = new Map();
  const { error, stderr } = await asc.main([source, '--outFile', 'wasm', '--textFile', 'text', ...flags], {
    writeFile: (name, content) => void made.set(name, content),
  });
  if (error) throw new Error(`${source} does not compile:\n${stderr}`);
  return { wasm: /** @type {Uint8Array<ArrayBuffer>} */ (made.get('wasm')), text: String(made.get('text')) };
}

/**
 * A kernel's source and whatever it imports, directly or not.
 *
 * @param {string} source
 * @param {Set<string>} found
 */
function withImports(source, found = new Set()) {
  if (found.has(source) || !existsSync(source)) return found;
  found.add(source);
  for (const [, specifier = ''] of readFileSync(source, 'utf8').matchAll(/\bfrom\s*['"](\.[^'"]+)['"]/g)) {
    withImports(`${posix.join(posix.dirname(source), specifier).replace(/\.ts$/, '')}.ts`, found);
  }
  return found;
}
