import { z } from 'zod';
import { parseListen } from './listen.ts';

/** The servers whose models may be fetched for Fuse, and how this one shows them who it is. */

const PEERS_MAX = 64;
const PATH_LENGTH_MAX = 1024;
const path = z.string().min(1).max(PATH_LENGTH_MAX).optional();
const ADDRESS_FORM = '`host:port`';

const peer = z
  .strictObject({
    tokenFile: path.meta({ form: 'a path', description: 'A file that holds the token of this server there, alone.' }),
    tls: z.boolean().default(false).meta({
      description: 'Whether it is TLS, by the authorities that this system trusts.',
    }),
    ca: path.meta({ form: 'a path', description: 'TLS, by these authorities (PEM).' }),
    certificate: path.meta({ form: 'a path', description: 'The certificate of this server there (PEM).' }),
    key: path.meta({ form: 'a path', description: 'Its private key (PEM).' }),
  })
  .meta({ form: 'a mapping with, if wanted, `tokenFile`, `tls`, `ca`, `certificate` and `key`' });

export const peers = z
  .record(z.string().refine(isAddress).meta({ form: ADDRESS_FORM }), peer)
  .refine((given) => Object.keys(given).length <= PEERS_MAX, { error: `it takes at most ${PEERS_MAX} servers` })
  .default({})
  .meta({
    form: `a mapping of at most ${PEERS_MAX} addresses to what is shown there`,
    description:
      'Other servers whose models Fuse may fetch (`sources[].address`), by `host:port`; it connects to no other. An ' +
      'environment variable or a flag takes the mapping as JSON.',
  });

export type PeerConfig = z.output<typeof peer>;

function isAddress(text: string): boolean {
  const address = parseListen(text);
  return address?.kind === 'tcp' && address.port > 0;
}
