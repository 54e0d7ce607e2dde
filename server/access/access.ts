import { hash } from 'node:crypto';
import { AccreteError } from '../errors.ts';
import { type Clients, NO_CLIENTS, readClients } from './clients-file.ts';
import { expired, invalid, JsonWebTokens, type TokenIssuer } from './json-web-tokens.ts';
import type { ClientLimits, Principal } from './principal.ts';
import { type Usage, Usages } from './usage.ts';

/** Who may call: what the files say, as of when they were read last. */

export interface AccessConfig extends ClientLimits {
  readonly clients?: string | undefined;
  readonly jwks?: string | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
}

/** Longer ones are not looked at. */
const TOKEN_LENGTH_MAX = 8192;
/** Three parts of base64url; a token of the file has no dots. */
const JSON_WEB_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export class Access {
  /** Grows when the files were read anew. */
  generation = 0;
  readonly #usages = new Usages();
  #clients: Clients = NO_CLIENTS;
  #tokens: JsonWebTokens | undefined;

  /** Throws CONFIG_INVALID. */
  constructor(config: AccessConfig, namespaces: ReadonlySet<string>) {
    this.prepare(config, namespaces)();
  }

  /**
   * Reads the files; what it returns puts them in the place of those before: who is not in them any more is not admitted any
   * more. Throws CONFIG_INVALID.
   */
  prepare(config: AccessConfig, namespaces: ReadonlySet<string>): () => void {
    const { callsPerSecond, concurrentCalls, messageBytes } = config;
    const limits = { callsPerSecond, concurrentCalls, messageBytes };
    const clients = config.clients === undefined ? NO_CLIENTS : readClients(config.clients, limits, namespaces);
    const issuer = issuerOf(config);
    const tokens = issuer && new JsonWebTokens(issuer, limits, namespaces);
    return () => {
      this.#clients = clients;
      this.#tokens = tokens;
      this.generation++;
    };
  }

  /** Whose token it is. Throws CREDENTIALS_INVALID, CREDENTIALS_EXPIRED, RATE_EXCEEDED; or rejects so. */
  admitToken(token: string): Principal | Promise<Principal> {
    if (token.length > TOKEN_LENGTH_MAX) throw invalid(`it is longer than ${TOKEN_LENGTH_MAX} characters`);
    if (this.#tokens && JSON_WEB_TOKEN.test(token)) return this.#tokens.admit(token);
    // The hash is looked up, not the token: how long that takes tells nothing of other tokens.
    const principal = this.#clients.byToken.get(`sha256:${hash('sha256', token, 'hex')}`);
    if (!principal) throw invalid('the server does not know it');
    return requireLasting(principal);
  }

  /** Whose certificate it is, by its names; undefined: nobody's. Throws CREDENTIALS_EXPIRED. */
  admitCertificate(names: readonly string[], expiresMs: number): Principal | undefined {
    for (const name of names) {
      const principal = this.#clients.byCertificate.get(name);
      if (principal) return requireLasting({ ...principal, expiresMs: Math.min(principal.expiresMs, expiresMs) });
    }
    return undefined;
  }

  /** Throws CREDENTIALS_EXPIRED. */
  requireLasting(principal: Principal): void {
    requireLasting(principal);
  }

  usageOf({ namespace, name }: Principal): Usage {
    return this.#usages.of(`${namespace}\n${name}`);
  }
}

function issuerOf({ jwks, issuer, audience }: AccessConfig): TokenIssuer | undefined {
  if (jwks === undefined || issuer === undefined || audience === undefined) return undefined;
  return { jwks, issuer, audience };
}

function requireLasting(principal: Principal): Principal {
  if (principal.expiresMs <= Date.now()) throw expired();
  return principal;
}

/** Nobody said who they are. */
export function missing(): AccreteError {
  const message =
    'The call shows no token and no certificate: send `authorization: Bearer TOKEN` (accrete: --token-file, or ACCRETE_TOKEN)';
  return new AccreteError('CREDENTIALS_MISSING', message);
}
