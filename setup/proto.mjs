import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { findFiles } from './build.mjs';
import { run } from './process.mjs';

const OUTPUT = 'proto/gen';

/**
 * The generated code and the descriptor set (for reflection), made by buf in a folder of their own and then renamed.
 *
 * @returns {import('./build.mjs').Target}
 */
export function protoTarget() {
  return {
    output: OUTPUT,
    inputs: [
      'buf.yaml',
      'buf.gen.yaml',
      'node_modules/@bufbuild/buf/package.json',
      'node_modules/ts-proto/package.json',
      'setup/proto.mjs',
      ...findFiles('proto', '.proto'),
    ],
    describe: `generating ${OUTPUT} from the wire contract`,
    make: generate,
  };
}

async function generate() {
  const made = 'build/proto';
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  await run('node_modules/.bin/buf', ['generate', '--output', made]);
  await run('node_modules/.bin/buf', [
    'build',
    '--as-file-descriptor-set',
    '--output',
    `${made}/${OUTPUT}/descriptors.binpb`,
  ]);
  if (existsSync(OUTPUT)) renameSync(OUTPUT, `${made}/before`);
  renameSync(`${made}/${OUTPUT}`, OUTPUT);
  rmSync(made, { recursive: true });
}
