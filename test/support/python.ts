import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** An installation that takes longer is given up. */
const INSTALL_MS = 180_000;

/** Packages of Python's, in an environment of their own below `build/peers`. */
export class PythonPackages {
  readonly #packages: readonly string[];
  readonly #module: string;
  readonly #folder: string;
  readonly #python: string;

  /** `packages`: with their versions, `numpy==2.3.3`. `module`: what is imported of them. */
  constructor(packages: readonly string[], module: string) {
    this.#packages = packages;
    this.#module = module;
    this.#folder = fileURLToPath(new URL(`../../build/peers/${packages.join('+')}`, import.meta.url));
    this.#python = `${this.#folder}/bin/python`;
  }

  /** Installs what is needed, once; why it cannot, or false. Suits the option `skip` of a test. */
  findMissing(): string | false {
    // What is installed is there: to load it takes longer than to ask for it.
    const versions = this.#packages.map((each) => each.split('=='));
    const glance = versions.map(([name, version]) => `assert of('${name}') == '${version}'`);
    const there = ['-c', ['from importlib.metadata import version as of', ...glance].join('\n')];
    if (existsSync(this.#python) && !failureOf(this.#python, there)) return false;
    const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '1', '--timeout', '10', ...this.#packages];
    const why =
      failureOf('python3', ['-m', 'venv', '--clear', this.#folder]) ??
      failureOf(this.#python, pip) ??
      failureOf(this.#python, ['-c', `import ${this.#module}`]);
    return why === undefined ? false : `${this.#packages.join(' and ')} for Python cannot be had: ${why}`;
  }

  /** Runs a program that writes JSON, which may ask this process for something meanwhile. */
  async runBeside(args: readonly string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(this.#python, args, { maxBuffer: 2 ** 24 });
    return JSON.parse(stdout);
  }

  /** Runs a program that writes JSON. */
  run(args: readonly string[], options: { readonly input?: string; readonly cwd?: string } = {}): unknown {
    // One thread, as the learner has that it may be compared with.
    const env = { ...process.env, OPENBLAS_NUM_THREADS: '1' };
    const { status, stdout, stderr } = spawnSync(this.#python, args, {
      ...options,
      env,
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
    });
    if (status !== 0) throw new Error(`${this.#packages.join(' and ')} failed: ${stderr}`);
    return JSON.parse(stdout);
  }
}

/** Why a command failed, or undefined. */
function failureOf(command: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_MS });
  if (error) return error.message;
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`;
}
