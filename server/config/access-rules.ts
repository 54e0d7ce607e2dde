import { isLocal, parseListen } from './listen.ts';
import type { Keys, Rule } from './rule.ts';

/** What the keys of `tls` and `auth` must fulfil together, so that no server is open by oversight. */

/** Whether callers are asked who they are. */
export function isGuarded({ auth }: Pick<Keys, 'auth'>): boolean {
  return auth.clients !== undefined || auth.jwks !== undefined;
}

const isBeyond = ({ listen }: Pick<Keys, 'listen'>) => !isLocal(parseListen(listen));

export const accessRules: readonly Rule[] = [
  {
    path: ['listen'],
    reads: ['listen', 'auth', 'tls'],
    findFault: (config) => {
      if (!isBeyond(config) || isGuarded(config) || config.auth.allowAnyone) return undefined;
      return (
        `other machines can reach \`${config.listen}\`, and there is no authentication: give the clients tokens or ` +
        'certificates (`auth.clients`, see SECURITY.md), listen on 127.0.0.1 or a Unix socket, or let everyone who reaches ' +
        'it do everything: `auth.allowAnyone: true` (ACCRETE_AUTH_ALLOW_ANYONE=true)'
      );
    },
  },
  {
    path: ['listen'],
    reads: ['listen', 'auth', 'tls'],
    findFault: (config) => {
      const isEncrypted = config.tls.certificate !== undefined;
      if (!isBeyond(config) || !isGuarded(config) || isEncrypted || config.auth.allowPlaintext) return undefined;
      return (
        `other machines can reach \`${config.listen}\`, and tokens would travel for all to read: set \`tls.certificate\` and ` +
        '`tls.key`, or, where something in front of the server encrypts, `auth.allowPlaintext: true` (ACCRETE_AUTH_ALLOW_PLAINTEXT=true)'
      );
    },
  },
  {
    path: ['tls', 'key'],
    reads: ['tls'],
    findFault: ({ tls }) =>
      (tls.certificate === undefined) === (tls.key === undefined)
        ? undefined
        : '`tls.certificate` and `tls.key` need each other',
  },
  {
    path: ['tls', 'clientCa'],
    reads: ['tls', 'auth'],
    findFault: ({ tls, auth }) => {
      if (tls.clientCa === undefined) return undefined;
      if (tls.certificate === undefined) return 'it needs `tls.certificate`: there are no certificates without TLS';
      return isGuarded({ auth })
        ? undefined
        : 'it needs `auth.clients`, which says what the owner of a certificate may do';
    },
  },
  {
    path: ['namespaces'],
    reads: ['namespaces', 'auth'],
    findFault: ({ namespaces, auth }) =>
      Object.keys(namespaces).length === 0 || isGuarded({ auth })
        ? undefined
        : 'whose a call is, its token or certificate says: set `auth.clients` or `auth.jwks`',
  },
  {
    path: ['auth', 'jwks'],
    reads: ['auth'],
    findFault: ({ auth }) => {
      const isAlone = auth.jwks !== undefined && (auth.issuer === undefined || auth.audience === undefined);
      return isAlone
        ? 'it needs `auth.issuer` and `auth.audience`, which say whose tokens for whom are taken'
        : undefined;
    },
  },
  {
    path: ['peers'],
    reads: ['peers'],
    findFault: ({ peers: all }) => {
      for (const [address, { tokenFile, tls, ca, certificate, key }] of Object.entries(all)) {
        if ((certificate === undefined) !== (key === undefined))
          return `\`${address}\`: \`certificate\` and \`key\` need each other`;
        const isEncrypted = tls || ca !== undefined || certificate !== undefined;
        if (tokenFile !== undefined && !isEncrypted && !isLocal(parseListen(address)))
          return `\`${address}\`: the token would travel for all to read: set \`ca\`, or \`tls: true\``;
      }
      return undefined;
    },
  },
];
