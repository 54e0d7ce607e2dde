import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { formatPath } from '../config/explain.ts';
import { NAMESPACE, NAMESPACE_FORM } from '../config/namespaces.ts';
import { AccreteError } from '../errors.ts';
import type { ClientLimits, Principal } from './principal.ts';
import { ROLES } from './role.ts';

/** The file of the clients: YAML, or JSON. It has hashes of tokens, and nobody's token. */

const FILE_BYTES_MAX = 4 * 2 ** 20;
const CLIENTS_MAX = 10_000;

const limit = z.int().min(1).max(1_000_000_000).optional();
const limits = z.strictObject({ callsPerSecond: limit, concurrentCalls: limit, messageBytes: limit });

const client = z
  .strictObject({
    name: z.string().regex(/^[\w.@:/-]{1,128}$/, '1 to 128 letters, digits and `_ . @ : / -`'),
    role: z.enum(ROLES),
    /** Of each token; more than one while it is changed. */
    tokens: z
      .array(z.string().regex(/^sha256:[0-9a-f]{64}$/, '`sha256:` and 64 hexadecimal digits'))
      .max(16)
      .default([]),
    /** Names in a certificate: `dns:NAME`, `uri:URI`, `email:ADDRESS` of its alternative names, or `cn:NAME` of its subject. */
    certificates: z
      .array(z.string().regex(/^(dns|uri|email|cn):.{1,512}$/, '`dns:`, `uri:`, `email:` or `cn:` and a name'))
      .max(16)
      .default([]),
    namespace: z.string().regex(NAMESPACE, NAMESPACE_FORM).default(''),
    expires: z.union([z.iso.datetime({ offset: true }), z.iso.date()]).optional(),
    limits: limits.prefault({}),
  })
  .refine(({ tokens, certificates }) => tokens.length + certificates.length > 0, 'no token and no certificate');

const file = z.strictObject({ clients: z.array(client).max(CLIENTS_MAX) });

/** Who may call, by what they show. */
export interface Clients {
  readonly byToken: ReadonlyMap<string, Principal>;
  readonly byCertificate: ReadonlyMap<string, Principal>;
}

export const NO_CLIENTS: Clients = { byToken: new Map(), byCertificate: new Map() };

/** Throws CONFIG_INVALID. What a file holds is in no message: it might be a token in the wrong place. */
export function readClients(path: string, defaults: ClientLimits, namespaces: ReadonlySet<string>): Clients {
  const { clients } = parseFile(path);
  const byToken = new Map<string, Principal>();
  const byCertificate = new Map<string, Principal>();
  const names = new Set<string>();
  for (const [n, each] of clients.entries()) {
    const { name, role, namespace } = each;
    const where = `clients[${n}]`;
    if (names.has(name)) throw invalid(path, `${where}.name: two clients are called ${name}`);
    names.add(name);
    if (namespace !== '' && !namespaces.has(namespace))
      throw invalid(path, `${where}.namespace: the setting namespaces does not have ${namespace}`);
    const expiresMs = each.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(each.expires);
    const principal = { name, role, namespace, limits: { ...defaults, ...defined(each.limits) }, expiresMs };
    add(byToken, each.tokens, principal, () => invalid(path, `${where}.tokens: a token is there twice`));
    add(byCertificate, each.certificates, principal, () =>
      invalid(path, `${where}.certificates: a certificate is there twice`),
    );
  }
  return { byToken, byCertificate };
}

function add(to: Map<string, Principal>, keys: readonly string[], principal: Principal, twice: () => Error): void {
  for (const key of keys) {
    if (to.has(key)) throw twice();
    to.set(key, principal);
  }
}

function defined(given: Readonly<Record<string, number | undefined>>): Partial<ClientLimits> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function parseFile(path: string): z.output<typeof file> {
  const bytes = readSmall(path);
  let tree: unknown;
  try {
    tree = parse(bytes.toString(), { logLevel: 'silent' });
  } catch (cause) {
    const [line] = (cause as { readonly linePos?: readonly { readonly line: number }[] }).linePos ?? [];
    throw invalid(path, `it is no YAML${line ? ` (line ${line.line})` : ''}`);
  }
  const result = file.safeParse(tree);
  if (result.success) return result.data;
  const [{ path: at, message, code }] = result.error.issues;
  // What stands there may be a secret; what should stand there is none.
  throw invalid(path, `${formatPath(at)}: ${code === 'unrecognized_keys' ? 'a key that is not known' : message}`);
}

function readSmall(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= FILE_BYTES_MAX) return bytes;
  } catch (cause) {
    throw invalid(path, `it cannot be read: ${(cause as Error).message}`);
  }
  throw invalid(path, `it is longer than ${FILE_BYTES_MAX} bytes`);
}

function invalid(path: string, what: string): AccreteError {
  const message = `auth.clients: ${path}: ${what}; see SECURITY.md for its form`;
  return new AccreteError('CONFIG_INVALID', message, { violations: [{ field: 'auth.clients', description: what }] });
}
