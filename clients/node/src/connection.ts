import { readFileSync } from 'node:fs';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';

export interface TlsOptions {
  /** Who signed the server's certificate, as PEM; by default whom the system trusts. */
  readonly ca?: Buffer;
  /** The caller's own certificate, with its `key`, where the server asks for one (mTLS). */
  readonly certificate?: Buffer;
  readonly key?: Buffer;
  /** The name in the server's certificate, where that is not the name in the address. */
  readonly serverName?: string;
}

export interface ConnectOptions {
  /** `host:port` or `unix:path`; by default `ACCRETE_ADDRESS`, or the server of this machine. */
  readonly address?: string;
  /** How the connection is secured; by default it is, unless the address is of this machine. */
  readonly tls?: TlsOptions | boolean;
  /** The bearer token that says who calls, or what gives one for each call. */
  readonly token?: string | (() => string | Promise<string>);
  /** Options of grpc-js, added to those that are set here. */
  readonly grpc?: ChannelOptions;
}

const DEFAULT_ADDRESS = '127.0.0.1:50051';
const LOOPBACK = /^(unix(-abstract)?:|(dns:\/*)?(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$))/;
const OPTIONS: ChannelOptions = {
  // A dead connection is noticed within half a minute while calls are under way.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // A server that was restarted is found again at once.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.service_config': JSON.stringify(
    JSON.parse(readFileSync(new URL('../service-config.json', import.meta.url), 'utf8')),
  ),
};

/** What a channel is made with, of what a caller wants and left open. */
export function channelOf({
  address = process.env.ACCRETE_ADDRESS || DEFAULT_ADDRESS,
  tls,
  token,
  grpc,
}: ConnectOptions): {
  address: string;
  security: ChannelCredentials;
  options: ChannelOptions;
} {
  const isLocal = LOOPBACK.test(address);
  const secured = tls === undefined ? !isLocal && {} : tls === true ? {} : tls;
  if (token !== undefined && !secured && !isLocal) {
    throw new TypeError(`A token would cross the network in the clear to ${address}: leave tls as it is, or set it`);
  }
  const options = { ...OPTIONS, ...grpc };
  if (!secured) return { address, security: credentials.createInsecure(), options };
  const { ca = null, key = null, certificate = null, serverName } = secured;
  if (serverName !== undefined) options['grpc.ssl_target_name_override'] = serverName;
  return { address, security: credentials.createSsl(ca, key, certificate), options };
}
