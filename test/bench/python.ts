import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CACHE } from './cache.ts';

/** A package of Python's in an environment of its own, in the cache. */
export class PythonPackage {
  readonly name: string;
  readonly version: string;
  readonly #python: string;
  readonly #folder: string;
  readonly #module: string;

  /** `module`: what is imported of it. */
  constructor(name: string, version: string, module: string) {
    this.name = name;
    this.version = version;
    this.#module = module;
    this.#folder = `${CACHE}/${name}-${version}`;
    this.#python = `${this.#folder}/bin/python`;
  }

  /** Installs it, once; why it cannot, or undefined. */
  install(): string | undefined {
    if (failureOf(this.#python, ['-c', `import ${this.#module}`]) === undefined) return undefined;
    if (!existsSync(this.#python)) console.log(`  installing ${this.name} ${this.version} ...`);
    return (
      failureOf('python3', ['-m', 'venv', '--clear', this.#folder]) ??
      failureOf(this.#python, ['-m', 'pip', 'install', '--quiet', `${this.name}==${this.version}`])
    );
  }

  /** Runs a script that reads text and writes a line of JSON. */
  run(script: string, args: readonly string[], input: string): unknown {
    const options = { input, encoding: 'utf8', env: { ...process.env, OPENBLAS_NUM_THREADS: '1' } } as const;
    const { status, stdout, stderr } = spawnSync(this.#python, [script, ...args], options);
    if (status !== 0) throw new Error(`${this.name} failed: ${stderr}`);
    return JSON.parse(stdout);
  }
}

/** Why a command failed, or undefined. */
function failureOf(command: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) return error.message;
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`;
}
