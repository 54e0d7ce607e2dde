import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../support/server-process.ts';
import type { Scope } from '../support/temporary-folder.ts';

/** Builds and runs images without an engine: buildah, in a chroot, with all that it stores in one folder. */

/** What an image says of how it is run. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[] | null;
  readonly WorkingDir: string;
  readonly Volumes: Readonly<Record<string, object>>;
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
/** Where the certificates of this machine appear while an image is built. */
const CERTIFICATES = '/run/certificates.pem';

export class Buildah {
  readonly #folder: string;
  readonly #options: readonly string[];

  constructor(folder: string, scope: Scope) {
    this.#folder = folder;
    const places = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), '--storage-driver'];
    const works = (driver: string) => spawnSync('buildah', [...places, driver, 'info']).status === 0;
    this.#options = [...places, works('overlay') ? 'overlay' : 'vfs'];
    scope.after(() => this.#clean());
  }

  /**
   * An image like the official one of Node on Debian, from Debian's packages, this process's Node and this machine's
   * npm, under the name that a Dockerfile gives: `node:24-bookworm-slim`.
   */
  makeBase(name: string): void {
    const suite = /-(\w+)-slim$/.exec(name)?.[1];
    if (!suite) throw new Error(`${name} is no slim image of Node on Debian`);
    const container = this.run('from', 'scratch');
    const root = this.run('mount', container);
    execute('debootstrap', ['--variant=minbase', suite, root]);
    copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
    const modules = 'usr/local/lib/node_modules';
    execute('mkdir', [join(root, modules)]);
    execute('cp', ['--recursive', findNpm(), join(root, modules, 'npm')]);
    execute('chroot', [root, 'ln', '-s', `/${modules}/npm/bin/npm-cli.js`, '/usr/local/bin/npm']);
    execute('chroot', [root, 'groupadd', '--gid', '1000', 'node']);
    execute('chroot', [root, 'useradd', '--uid', '1000', '--gid', 'node', '--create-home', 'node']);
    this.run('config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', container);
    this.run('commit', '--quiet', '--rm', container, `docker.io/library/${name}`);
  }

  /** Builds the Dockerfile of this repository, with the registry, settings and certificates that npm has here. */
  build(tag: string): void {
    const secret = join(this.#folder, 'npmrc');
    const { npm_config_userconfig: own = '', npm_config_registry: registry, npm_config_cafile: cafile } = process.env;
    const certificates = cafile || process.env.NODE_EXTRA_CA_CERTS;
    writeFileSync(secret, existsSync(own) ? readFileSync(own) : '');
    if (registry) appendFileSync(secret, `\nregistry=${registry}\n`);
    if (certificates) appendFileSync(secret, `\ncafile=${CERTIFICATES}\n`);
    const volume = certificates ? ['--volume', `${certificates}:${CERTIFICATES}:ro`] : [];
    const how = ['--isolation', 'chroot', '--format', 'docker', '--pull-never'];
    this.run('bud', ...how, '--secret', `id=npmrc,src=${secret}`, ...volume, '--tag', tag, ROOT);
  }

  /** The size of an image, that of its base included, with its unit. */
  sizeOf(tag: string): string {
    return JSON.parse(this.run('images', '--json', tag))[0].size;
  }

  configOf(tag: string): ImageConfig {
    return JSON.parse(this.run('inspect', '--type', 'image', tag)).Docker.config;
  }

  /** A container to run commands of an image in, by its name. */
  container(tag: string): string {
    return this.run('from', '--pull-never', '--isolation', 'chroot', tag);
  }

  /** The standard output of a subcommand. Throws when it fails. */
  run(...args: readonly string[]): string {
    return execute('buildah', [...this.#options, ...args]);
  }

  /** Begins a subcommand, with standard error to read. */
  spawn(...args: readonly string[]): ChildProcess {
    return spawn('buildah', [...this.#options, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** Images and containers, then what is still mounted: a folder below would not go. */
  #clean(): void {
    this.run('rm', '--all');
    this.run('rmi', '--all', '--force');
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.reverse()) if (mount.startsWith(`${this.#folder}/`)) execute('umount', [mount]);
  }
}

/** The standard output of a command, without its last line break. Throws, with all that it wrote, when it fails. */
export function execute(command: string, args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout.trimEnd();
}

/** The folder of the npm that runs this, or else of the one in the path. */
function findNpm(): string {
  const { npm_execpath: running, PATH = '' } = process.env;
  const file =
    running ??
    PATH.split(delimiter)
      .map((folder) => join(folder, 'npm'))
      .find(existsSync);
  if (!file) throw new Error('npm is not in the path');
  return join(realpathSync(file), '../..');
}
