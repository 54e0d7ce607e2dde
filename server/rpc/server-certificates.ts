import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { AccreteError } from '../errors.ts';

/** The files of `tls`. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
  readonly clientCertificates: 'required' | 'optional';
}

/** How long a handshake may take; Node's own patience is two minutes. */
const HANDSHAKE_MS = 10_000;
const FILE_BYTES_MAX = 2 ** 20;

/** TLS with certificates that can be read anew: connections that begin later have the new ones. */
export class ServerCertificates extends ServerCredentials {
  /** Throws CONFIG_INVALID. */
  constructor(files: TlsFiles) {
    const asksClients = files.clientCa !== undefined;
    const options = {
      requestCert: asksClients,
      rejectUnauthorized: asksClients && files.clientCertificates === 'required',
      handshakeTimeout: HANDSHAKE_MS,
      minVersion: 'TLSv1.2',
    } as const;
    super(options, readContext(files));
  }

  /** Reads them; what it returns puts them in the place of those before. Throws CONFIG_INVALID. */
  prepare(files: TlsFiles): () => void {
    const context = readContext(files);
    return () => this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Until when the certificate is good, in milliseconds since 1970. Throws CONFIG_INVALID. */
export function validUntilMs({ certificate }: TlsFiles): number {
  return Date.parse(new X509Certificate(read('certificate', certificate)).validTo);
}

/** Everything about it is tried here: a server that takes files which fit nobody's handshake looks well and is not. */
function readContext({ certificate, key, clientCa }: TlsFiles): SecureContextOptions {
  const cert = read('certificate', certificate);
  const privateKey = read('key', key);
  const ca = clientCa === undefined ? undefined : read('clientCa', clientCa);
  const leaf = attempt('certificate', certificate, 'it is no certificate in PEM', () => new X509Certificate(cert));
  const own = attempt('key', key, 'it is no private key in PEM without a passphrase', () =>
    createPrivateKey(privateKey),
  );
  if (!leaf.checkPrivateKey(own)) throw refuse('key', key, `it is not the key of ${certificate}`);
  if (ca) attempt('clientCa', clientCa ?? '', 'it is no certificate in PEM', () => new X509Certificate(ca));
  const context = { cert, key: privateKey, ca, minVersion: 'TLSv1.2' } as const;
  attempt('certificate', certificate, 'OpenSSL cannot use it', () => createSecureContext(context));
  return context;
}

function read(setting: string, path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw refuse(setting, path, `it cannot be read: ${(cause as Error).message}`);
  }
  if (bytes.length > FILE_BYTES_MAX) throw refuse(setting, path, `it is longer than ${FILE_BYTES_MAX} bytes`);
  return bytes;
}

function attempt<Value>(setting: string, path: string, failure: string, make: () => Value): Value {
  try {
    return make();
  } catch {
    // What OpenSSL says may quote the file, which may be a key.
    throw refuse(setting, path, failure);
  }
}

function refuse(setting: string, path: string, what: string): AccreteError {
  const field = `tls.${setting}`;
  return new AccreteError('CONFIG_INVALID', `${field}: ${path}: ${what}`, {
    violations: [{ field, description: what }],
  });
}
