import { z } from 'zod';

/* The keys that say who may call: certificates, clients and their roles, limits, and what strangers are told. */

const PATH_LENGTH_MAX = 1024;
const path = z.string().min(1).max(PATH_LENGTH_MAX).optional();
const text = z.string().min(1).max(PATH_LENGTH_MAX).optional();
const MIB = 2 ** 20;

export const tls = z.strictObject({
  certificate: path.meta({
    form: 'a path',
    description: "The server's certificate and those between it and its authority, in PEM; with it gRPC is TLS alone.",
  }),
  key: path.meta({ form: 'a path', description: 'The private key of `tls.certificate`, in PEM.' }),
  clientCa: path.meta({
    form: 'a path',
    description: 'Authorities whose certificates clients may show, in PEM; what they may do then: see `auth.clients`.',
  }),
  clientCertificates: z.enum(['required', 'optional']).default('required').meta({
    description: 'With `tls.clientCa`: whether a client without a certificate is refused, or may show a token instead.',
  }),
});

export const auth = z.strictObject({
  clients: path.meta({
    form: 'a path',
    description: 'The file of the clients: their tokens (hashed) or certificates, roles and limits; see SECURITY.md.',
  }),
  jwks: path.meta({
    form: 'a path',
    description: 'Public keys (a JSON Web Key Set) of who issues JSON Web Tokens to clients.',
  }),
  issuer: text.meta({ form: 'a text', description: 'The `iss` that tokens must have; needed with `auth.jwks`.' }),
  audience: text.meta({ form: 'a text', description: 'The `aud` that tokens must have; needed with `auth.jwks`.' }),
  allowAnyone: z.boolean().default(false).meta({
    description:
      'Whether the server may listen beyond loopback without authentication: whoever reaches the port may do everything.',
  }),
  allowPlaintext: z.boolean().default(false).meta({
    description:
      'Whether tokens may be taken beyond loopback without TLS, as where something in front of the server ends it.',
  }),
  callsPerSecond: z.int().min(0).max(1_000_000).default(0).meta({
    unit: 'calls/s',
    description:
      'The most of one client, requests of streams included; 0 = no limit. A client may have one of its own.',
  }),
  concurrentCalls: z.int().min(0).max(1_000_000).default(0).meta({
    unit: 'calls',
    description: 'The most of one client at once; 0 = no limit. A client may have one of its own.',
  }),
  messageBytes: z
    .int()
    .min(0)
    .max(64 * MIB)
    .default(0)
    .meta({
      unit: 'bytes',
      description: 'The largest message of one client; 0 = `limits.messageBytes`. A client may have one of its own.',
    }),
  requestTimeoutMs: z.int().min(100).max(3_600_000).default(60_000).meta({
    unit: 'ms',
    description: 'How long the request of a call may take to arrive, where calls have one; then it is refused.',
  }),
  checkSeconds: z.int().min(0).max(86_400).default(60).meta({
    unit: 's',
    description:
      'How often the files of `tls` and `auth` are looked at, and read when they changed; 0 = by SIGHUP alone.',
  }),
});

const SOCKET_MODE = /^0?[0-7]{3}$/;
export const socketMode = z
  .string()
  .regex(SOCKET_MODE, { error: 'it takes three octal digits, such as `660`' })
  .default('600')
  .meta({
    form: 'three octal digits',
    description: 'Who may connect to the Unix socket of `listen`: the mode of its file.',
  });

export const errorDetail = z.enum(['full', 'reason']).default('full').meta({
  description: 'What a failed call is told: `full`, or its `reason` alone, without a message, fields or what it names.',
});
