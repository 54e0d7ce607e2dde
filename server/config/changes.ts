import { isGuarded } from './access-rules.ts';
import type { LoadedConfig } from './load.ts';
import type { Config } from './schema.ts';
import { settings } from './settings.ts';

/** What a running server does with a configuration that is read anew. */
export interface Changes {
  /** The configuration from now on: what cannot change while it runs is as it was. */
  readonly config: Config;
  /** Settings that are other from now on. */
  readonly applied: readonly string[];
  /** Settings that are other, and that the next start takes over. */
  readonly restart: readonly string[];
}

/** Whether a setting is taken over while the server runs. */
export function isReloadable(path: string): boolean {
  return RELOADABLE.test(path);
}

const RELOADABLE =
  /^(errorDetail|log\.level|tls\.(certificate|key|clientCa)|auth\.(clients|jwks|issuer|audience|callsPerSecond|concurrentCalls|messageBytes|checkSeconds))$/;

/** Compares what runs with what was read. */
export function findChanges(before: Config, after: Config): Changes {
  const changed = [...settings.keys()].filter((path) => textOf(before, path) !== textOf(after, path));
  // Whether anything is encrypted, or anyone is asked, decides what listens: it does not change while it listens.
  const isOther = shapeOf(before) !== shapeOf(after);
  const restarts = (path: string) => !isReloadable(path) || (isOther && /^(tls|auth)\./.test(path));
  const [restart, applied] = [changed.filter(restarts), changed.filter((path) => !restarts(path))];
  const config = applied.reduce<object>(
    (tree, path) => withSetting(tree, path.split('.'), settingOf(after, path)),
    before,
  );
  return { config: config as Config, applied, restart };
}

function withSetting(tree: object, [key, ...below]: readonly string[], value: unknown): object {
  const own = tree as Readonly<Record<string, object>>;
  return { ...own, [key]: below.length === 0 ? value : withSetting(own[key], below, value) };
}

/** Every setting, for people: no setting is a secret; those that lead to some are paths of files. */
export function describeConfig({ config, sources }: LoadedConfig): Record<string, object> {
  return Object.fromEntries(
    [...sources].map(([path, source]) => [
      path,
      { value: settingOf(config, path) ?? null, source, reloadable: isReloadable(path) },
    ]),
  );
}

function shapeOf(config: Config): string {
  const { certificate, clientCa } = config.tls;
  return [certificate !== undefined, clientCa !== undefined, isGuarded(config)].join();
}

function textOf(config: Config, path: string): string | undefined {
  return JSON.stringify(settingOf(config, path));
}

function settingOf(config: Config, path: string): unknown {
  return path.split('.').reduce<unknown>((tree, key) => (tree as Record<string, unknown>)[key], config);
}
