import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** The certificates of test/data/certificates. */

export function certificatePath(file: string): string {
  return fileURLToPath(new URL(`../data/certificates/${file}`, import.meta.url));
}

export const SERVER_TLS = { certificate: certificatePath('server.crt'), key: certificatePath('server.key') };

/** What a client trusts, and shows if it has a name. */
export function clientCredentials(name?: string, authority = 'authority'): ChannelCredentials {
  const read = (file: string) => readFileSync(certificatePath(file));
  const ca = read(`${authority}.crt`);
  return name === undefined
    ? credentials.createSsl(ca)
    : credentials.createSsl(ca, read(`${name}.key`), read(`${name}.crt`));
}
