import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose';
import { NAMESPACE } from '../config/namespaces.ts';
import { AccreteError } from '../errors.ts';
import type { ClientLimits, Principal } from './principal.ts';
import { ROLES } from './role.ts';

/** JSON Web Tokens (RFC 7519), signed by keys that a local file holds (RFC 7517). Nothing is fetched. */

/** Loaded only where `auth.jwks` is set: it takes memory. */
const loadJose = () => createRequire(import.meta.url)('jose') as typeof import('jose');

/** Signatures alone, and by public keys: with `none`, or a shared secret taken from a public key, anyone could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLOCK_TOLERANCE_SECONDS = 30;
const FILE_BYTES_MAX = 2 ** 20;
/** Verified ones that are remembered: checking a signature takes a hundred times as long as finding it. */
const REMEMBERED_MAX = 4096;
/** Signatures that are checked at once; whoever sends more is told to come again. */
const CHECKING_MAX = 64;
/** The claims that say what a token is for, besides the registered ones: `scope` has `accrete:ROLE` (RFC 8693). */
const SCOPE = 'accrete:';
const NAMESPACE_CLAIM = 'accrete_namespace';

export interface TokenIssuer {
  readonly jwks: string;
  readonly issuer: string;
  readonly audience: string;
}

export class JsonWebTokens {
  readonly #issuer: TokenIssuer;
  readonly #limits: ClientLimits;
  readonly #namespaces: ReadonlySet<string>;
  readonly #jose = loadJose();
  readonly #keys: JWTVerifyGetKey;
  readonly #verified = new Map<string, Principal>();
  #checking = 0;

  /** Throws CONFIG_INVALID. */
  constructor(issuer: TokenIssuer, limits: ClientLimits, namespaces: ReadonlySet<string>) {
    this.#issuer = issuer;
    this.#limits = limits;
    this.#namespaces = namespaces;
    this.#keys = this.#jose.createLocalJWKSet(readKeys(issuer.jwks));
  }

  /** Whose it is: at once if it is remembered. Throws CREDENTIALS_INVALID, CREDENTIALS_EXPIRED, RATE_EXCEEDED. */
  admit(token: string): Principal | Promise<Principal> {
    const key = hash('sha256', token, 'base64url');
    const known = this.#verified.get(key);
    if (known && known.expiresMs > Date.now()) return known;
    if (this.#checking >= CHECKING_MAX)
      throw new AccreteError('RATE_EXCEEDED', 'Too many tokens are being checked: try again', { retryAfterMs: 100 });
    return this.#verify(token, key);
  }

  async #verify(token: string, key: string): Promise<Principal> {
    const { issuer, audience } = this.#issuer;
    this.#checking++;
    try {
      const { payload } = await this.#jose.jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      const principal = this.#principalOf(payload);
      const [oldest] = this.#verified.keys();
      if (this.#verified.size >= REMEMBERED_MAX && oldest !== undefined) this.#verified.delete(oldest);
      this.#verified.set(key, principal);
      return principal;
    } catch (error) {
      if (error instanceof this.#jose.errors.JWTExpired) throw expired();
      throw error instanceof AccreteError ? error : invalid('it is no token that is taken here');
    } finally {
      this.#checking--;
    }
  }

  #principalOf({ sub = '', scope, exp = 0, [NAMESPACE_CLAIM]: namespace = '' }: JWTPayload): Principal {
    const scopes = typeof scope === 'string' ? scope.split(' ') : [];
    const role = ROLES.findLast((each) => scopes.includes(SCOPE + each));
    if (!role) throw invalid(`its scope has none of ${ROLES.map((each) => SCOPE + each).join(', ')}`);
    const isName = typeof namespace === 'string' && (namespace === '' || NAMESPACE.test(namespace));
    if (!isName || (namespace !== '' && !this.#namespaces.has(namespace)))
      throw invalid(`its ${NAMESPACE_CLAIM} is none of this server`);
    // Apart from the names in the file of the clients, whose limits are others'.
    const name = `jwt:${sub.slice(0, 128)}`;
    return { name, role, namespace, limits: this.#limits, expiresMs: (exp + CLOCK_TOLERANCE_SECONDS) * 1000 };
  }
}

function readKeys(path: string): JSONWebKeySet {
  const refuse = (what: string) =>
    new AccreteError('CONFIG_INVALID', `auth.jwks: ${path}: ${what}`, {
      violations: [{ field: 'auth.jwks', description: what }],
    });
  let keys: { keys?: unknown };
  try {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_BYTES_MAX) throw new Error(`it is longer than ${FILE_BYTES_MAX} bytes`);
    keys = JSON.parse(bytes.toString()) as { keys?: unknown };
  } catch (cause) {
    // What JSON.parse says quotes what the file has.
    throw refuse(cause instanceof SyntaxError ? 'it is no JSON' : `it cannot be read: ${(cause as Error).message}`);
  }
  const list = Array.isArray(keys?.keys) ? (keys.keys as Record<string, unknown>[]) : [];
  if (list.length === 0 || !list.every((key) => key !== null && typeof key === 'object'))
    throw refuse('it has no `keys`: it takes a JSON Web Key Set');
  if (list.some((key) => 'd' in key || key.kty === 'oct'))
    throw refuse('it has a private or a shared key: give the public ones alone');
  return keys as JSONWebKeySet;
}

export function expired(): AccreteError {
  return new AccreteError('CREDENTIALS_EXPIRED', 'The token or certificate has expired: get a new one');
}

export function invalid(why: string): AccreteError {
  return new AccreteError('CREDENTIALS_INVALID', `The token cannot be used: ${why}`);
}
