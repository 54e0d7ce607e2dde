import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Where a server listens: a TCP port of one host (port 0 lets the system choose), or a Unix socket. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What `parseListen` takes, in words. */
export const LISTEN_FORM = '`host:port`, `[IPv6]:port` (port 0: any free one) or `unix:/absolute/path`';

/** The longest path that every system takes for a socket (`sun_path`), in bytes. */
const SOCKET_PATH_BYTES_MAX = 103;
const PORT_MAX = 65535;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

/** Reads an address such as `127.0.0.1:50051`, `[::1]:0` or `unix:/run/accrete.sock`; undefined if it is none. */
export function parseListen(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) return parseSocket(text.slice('unix:'.length));
  const [, bracketed, bare, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > PORT_MAX) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { kind: 'tcp', host: bracketed, port } : undefined;
  return isHost(bare ?? '') ? { kind: 'tcp', host: bare ?? '', port } : undefined;
}

/** Whether only processes of this machine can connect. A name but `localhost` may be anywhere. */
export function isLocal(address: ListenAddress | undefined): boolean {
  if (address?.kind !== 'tcp') return address !== undefined;
  const { host } = address;
  return (
    host === 'localhost' || (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && LOOPBACK.check(host, 'ipv6'))
  );
}

/** `::1` however it is spelled, and IPv4's own as IPv6 writes them. */
const LOOPBACK = new BlockList();
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

function parseSocket(path: string): ListenAddress | undefined {
  const fits = path.length > 1 && Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX;
  return fits && path.startsWith('/') && !path.includes('\0') ? { kind: 'unix', path } : undefined;
}

/** Names of digits and dots alone are IPv4 addresses or mistakes. */
function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : HOST_NAME.test(text);
}
