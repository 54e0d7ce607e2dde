import { statSync } from 'node:fs';
import type { Container } from 'inversify';
import { Access } from '../access/access.ts';
import { isGuarded } from '../config/access-rules.ts';
import type { Config } from '../config/schema.ts';
import { ServerCertificates, type TlsFiles, validUntilMs } from '../rpc/server-certificates.ts';
import type { Logger } from '../telemetry/log.ts';
import { token } from './shared.ts';

/** Who may call; undefined where everyone may. */
export const ACCESS = token<Access | undefined>('Access');
/** Undefined without TLS. */
export const CERTIFICATES = token<ServerCertificates | undefined>('Certificates');

/** Adds what keeps strangers out, as far as it is configured. Throws CONFIG_INVALID when it is asked for. */
export function bindAccess(container: Container, config: Config): void {
  container
    .bind(ACCESS)
    .toDynamicValue(() => (isGuarded(config) ? new Access(config.auth, namespacesOf(config)) : undefined));
  container.bind(CERTIFICATES).toDynamicValue(() => {
    const files = tlsFiles(config);
    return files && new ServerCertificates(files);
  });
}

const DAY_MS = 86_400_000;
/** So long before its end a certificate is warned of, each time it is read. */
const WARNED_DAYS = 14;

/** The files that say who may call, while the server runs. */
export class AccessFiles {
  readonly #container: Container;
  readonly #log: Logger;
  #config: Config;
  #seen: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(container: Container, config: Config, log: Logger) {
    this.#container = container;
    this.#log = log;
    this.#config = config;
    this.#seen = describeFiles(config);
    this.#begin();
  }

  /** Reads them anew. Throws CONFIG_INVALID, and then those before go on. */
  reload(config: Config): void {
    const seen = describeFiles(config);
    const files = tlsFiles(config);
    const applyCertificates = files && this.#container.get(CERTIFICATES)?.prepare(files);
    const applyAccess = this.#container.get(ACCESS)?.prepare(config.auth, namespacesOf(config));
    applyCertificates?.();
    applyAccess?.();
    this.#config = config;
    this.#seen = seen;
    this.#begin();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #begin(): void {
    const files = tlsFiles(this.#config);
    const untilMs = files ? validUntilMs(files) : Number.POSITIVE_INFINITY;
    if (untilMs < Date.now() + WARNED_DAYS * DAY_MS)
      this.#log.warn({ until: new Date(untilMs).toISOString() }, "the server's certificate ends soon, or has ended");
    this.stop();
    const { checkSeconds } = this.#config.auth;
    if (this.#seen !== '' && checkSeconds > 0)
      this.#timer = setInterval(() => this.#look(), checkSeconds * 1000).unref();
  }

  /** Files of which one is replaced and another not yet may not fit: then they are looked at again. */
  #look(): void {
    if (describeFiles(this.#config) === this.#seen) return;
    try {
      this.reload(this.#config);
      this.#log.info('certificates, tokens and keys were read again');
    } catch (error) {
      this.#log.error({ why: (error as Error).message }, 'certificates, tokens and keys go on as they were');
    }
  }
}

/** What they are now: other when one was changed, replaced, or is gone; "" where there are none. */
function describeFiles({ tls, auth }: Config): string {
  const paths = [tls.certificate, tls.key, tls.clientCa, auth.clients, auth.jwks];
  return paths.flatMap((path) => (path === undefined ? [] : [describeFile(path)])).join();
}

function describeFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino}:${found.size}:${found.mtimeMs}` : 'gone';
}

/** Those besides "". */
function namespacesOf({ namespaces }: Config): ReadonlySet<string> {
  return new Set(Object.keys(namespaces));
}

function tlsFiles({ tls }: Config): TlsFiles | undefined {
  const { certificate, key, ...clients } = tls;
  return certificate === undefined || key === undefined ? undefined : { certificate, key, ...clients };
}
