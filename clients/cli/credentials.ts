import { readFileSync } from 'node:fs';
import { type ChannelCredentials, credentials, InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { type Command, Option } from 'commander';
import { Failure, UsageError } from './failure.ts';

/** How a command shows who it is, and whom it trusts. A token is in no argument: others see those of running programs. */

export interface CredentialOptions {
  readonly tokenFile?: string;
  readonly tls?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
}

export interface Identity {
  readonly channel: ChannelCredentials;
  readonly interceptors: Interceptor[];
  /** What the server's certificate calls it, where it is reached by another name. */
  readonly serverName?: string;
}

export const NOBODY: Identity = { channel: credentials.createInsecure(), interceptors: [] };

const TOKEN_BYTES_MAX = 16_384;

export function addCredentialOptions(program: Command): void {
  program
    .addOption(
      new Option('--token-file <file>', 'the token of this client; or give it in ACCRETE_TOKEN').env(
        'ACCRETE_TOKEN_FILE',
      ),
    )
    .option('--tls', 'encrypt, and trust the authorities that this system trusts')
    .addOption(new Option('--ca <file>', 'encrypt, and trust these authorities (PEM)').env('ACCRETE_CA'))
    .addOption(new Option('--cert <file>', 'the certificate of this client (PEM)').env('ACCRETE_CERT'))
    .addOption(new Option('--key <file>', 'its private key (PEM)').env('ACCRETE_KEY'))
    .addOption(
      new Option('--server-name <name>', "the name in the server's certificate, if it is reached by another").env(
        'ACCRETE_SERVER_NAME',
      ),
    );
}

/** Throws UsageError, and Failure where a file cannot be used. */
export function identityOf(
  address: string,
  options: CredentialOptions,
  env: NodeJS.ProcessEnv = process.env,
): Identity {
  // An empty variable counts as not set.
  const [ca, cert, key, tokenFile] = [options.ca, options.cert, options.key, options.tokenFile].map(
    (path) => path || undefined,
  );
  const { tls = false } = options;
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key need each other');
  const isEncrypted = tls || ca !== undefined || cert !== undefined;
  const token = tokenFile === undefined ? env.ACCRETE_TOKEN : read('--token-file', tokenFile).toString();
  const shown = token?.trim() ?? '';
  if (/[^\x21-\x7e]/.test(shown)) throw new UsageError('A token is one line without blanks: this is none');
  if (shown !== '' && !isEncrypted && !LOCAL.test(address))
    throw new UsageError(`The token would travel to ${address} for all to read: say --tls, or --ca FILE`);
  return {
    channel: isEncrypted ? encrypted(ca, cert, key) : NOBODY.channel,
    interceptors: shown === '' ? [] : [showing(shown)],
    ...(options.serverName !== undefined && { serverName: options.serverName }),
  };
}

/** This machine, whatever the port. */
export const LOCAL = /^(unix:|localhost:|127\.\d+\.\d+\.\d+:|\[::1\]:)/;

function encrypted(ca: string | undefined, cert: string | undefined, key: string | undefined): ChannelCredentials {
  const file = (option: string, path: string | undefined) => (path === undefined ? null : read(option, path));
  try {
    return credentials.createSsl(file('--ca', ca), file('--key', key), file('--cert', cert));
  } catch (error) {
    if (error instanceof Failure) throw error;
    // What OpenSSL says may quote a key.
    throw new Failure('CREDENTIALS_INVALID', '--ca, --cert and --key are no certificates and keys in PEM that fit');
  }
}

function showing(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authorization', `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}

function read(option: string, path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'FAULT', message } = error as NodeJS.ErrnoException;
    throw new Failure(code, `${option}: ${message.replace(`${code}: `, '')}`);
  }
  if (option === '--token-file' && bytes.length > TOKEN_BYTES_MAX)
    throw new Failure('CREDENTIALS_INVALID', `${option}: ${path} is too long for a token`);
  return bytes;
}
