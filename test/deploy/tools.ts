import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/server-process.ts';

/** What checks the files of `deploy`, got from package registries into `build/tools` where it is not there yet. */

export const TOOLS = join(ROOT, 'build/tools');
const HELM = 'helm.sh/helm/v4/cmd/helm@v4.3.1';
const VALIDATE = 'kubernetes-validate==1.37.0';

/** A command, or why it is not to be had here. */
export interface Tool {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  readonly skip: string | false;
}

/** Helm, compiled by Go: minutes, the first time. */
export function getHelm(): Tool {
  return getTool('helm', join(TOOLS, 'helm'), {}, () =>
    run('go', ['install', HELM], { GOBIN: TOOLS, GOFLAGS: '-mod=mod' }),
  );
}

/** Kubernetes' own schemas, which come with the package. */
export function getValidate(): Tool {
  const folder = join(TOOLS, 'kubernetes-validate');
  return getTool('kubernetes-validate', join(folder, 'bin/kubernetes-validate'), { PYTHONPATH: folder }, () =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, VALIDATE]),
  );
}

/** Prometheus' own checker, out of Debian's package, which is not installed. */
export function getPromtool(): Tool {
  const folder = join(TOOLS, 'prometheus');
  return getTool('promtool', join(folder, 'usr/bin/promtool'), {}, () => {
    const download = () => spawnSync('apt-get', ['-qq', 'download', 'prometheus'], { cwd: folder });
    if (download().status !== 0) {
      run('apt-get', ['-qq', 'update']);
      download();
    }
    run('sh', ['-c', `cd "${folder}" && dpkg -x prometheus_*.deb . && rm prometheus_*.deb`]);
  });
}

/** A command at `path`, which `install` puts there. */
export function getTool(name: string, path: string, env: Readonly<Record<string, string>>, install: () => void): Tool {
  try {
    mkdirSync(join(TOOLS, 'prometheus'), { recursive: true });
    if (!existsSync(path)) install();
    return { path, env, skip: !existsSync(path) && `${name} was not installed` };
  } catch (error) {
    return { path, env, skip: `${name} cannot be installed: ${(error as Error).message.trim().split('\n').at(-1)}` };
  }
}

/** What a command prints. Throws, with all that it wrote, when it fails. */
export function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): string {
  const options = { env: { ...process.env, ...env }, input, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  const { error, status, stdout, stderr } = spawnSync(command, args, options);
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout + stderr;
}
