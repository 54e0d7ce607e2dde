import type { Container } from 'inversify';
import { Access } from '../access/access.ts';
import { isGuarded } from '../config/access-rules.ts';
import type { Config } from '../config/schema.ts';
import { ServerCertificates, type TlsFiles } from '../rpc/server-certificates.ts';
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

/** Those besides "". */
export function namespacesOf(_config: Config): ReadonlySet<string> {
  return new Set();
}

export function tlsFiles({ tls }: Config): TlsFiles | undefined {
  const { certificate, key, ...clients } = tls;
  return certificate === undefined || key === undefined ? undefined : { certificate, key, ...clients };
}
