import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** HTTP/2 byte by byte (RFC 9113), for what no client library would send. */

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PADDED = 8;

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length & 0xff_ffff, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value >>> 0, 2);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Headers as literals that are not indexed (RFC 7541, 6.2.2). */
export function headerBlock(headers: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** The headers of a call of a method. */
export function callHeaders(path: string, ...more: (readonly [string, string])[]): Buffer {
  return headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'fuzz'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [0x7f];
  let rest = bytes.length - 127;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** A connection that says anything, and takes no offence at how it ends. */
export class Wire {
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', () => {}); // or the server could not send
  }

  /** `greets`: with the preface and empty settings. */
  static async open(address: string, greets = true): Promise<Wire> {
    const [host, port] = address.split(':');
    const socket = connect(Number(port), host);
    const wire = new Wire(socket);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    if (greets) await wire.send(PREFACE, frame(FRAME.settings, 0, 0, Buffer.alloc(0)));
    return wire;
  }

  /** Waits while the server does not take more, but not for long. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      if (this.socket.destroyed) return;
      if (!this.socket.write(part)) await Promise.race([once(this.socket, 'drain'), sleep(100)]).catch(() => {});
    }
  }

  /** Gives the server some time, and goes. */
  async leave(afterMs = 50): Promise<void> {
    if (!this.socket.destroyed) await Promise.race([once(this.socket, 'close'), sleep(afterMs)]);
    this.socket.destroy();
  }
}
