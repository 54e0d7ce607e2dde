import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { Status } from '../../../proto/gen/google/rpc/status.ts';

/** Calls of gRPC made by hand over HTTP/2, so that everything about them can be wrong. */

export interface RawAnswer {
  /** Of HTTP; 0 when none came. */
  readonly http: number;
  /** Undefined when there was none. */
  readonly status: number | undefined;
  readonly message: string;
  /** `google.rpc.Status` of the details. */
  readonly details: Status | undefined;
  /** Messages that came, with their prefixes, as far as they are kept. */
  readonly body: Buffer;
  /** What ended the stream otherwise: RST_STREAM, or the connection. */
  readonly broken: string | undefined;
}

export interface RawRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  /** What goes into DATA frames, one each. */
  readonly chunks: readonly Uint8Array[];
  /** How the client's side ends: as it should, never, by trailers, or by RST_STREAM. */
  readonly end?: 'end' | 'never' | 'trailers' | 'reset';
  readonly timeoutMs?: number;
}

/** A message with its prefix. */
export function framed(body: Uint8Array, flag = 0, length = body.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([prefix, body]);
}

/** A connection of its own; it is made anew when the server has ended it. */
export class RawClient {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  close(): void {
    this.#session?.destroy();
  }

  call({ path, headers = {}, chunks, end = 'end', timeoutMs = 10_000 }: RawRequest): Promise<RawAnswer> {
    const all = { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc', ...headers };
    const session = this.#connected();
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(all, { endStream: false, waitForTrailers: end === 'trailers' });
    } catch (error) {
      return Promise.resolve({ ...NOTHING, broken: `not sent: ${(error as Error).message}` });
    }
    if (end === 'trailers') stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-late': 'y' }));
    const answer = readAnswer(stream, timeoutMs);
    for (const chunk of chunks) stream.write(chunk);
    if (end === 'end' || end === 'trailers') stream.end();
    else if (end === 'reset') setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
    return answer;
  }

  #connected(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(`http://${this.#address}`);
    session.on('error', () => {});
    this.#session = session;
    return session;
  }
}

const BODY_BYTES_MAX = 100_000;

const NOTHING: RawAnswer = {
  http: 0,
  status: undefined,
  message: '',
  details: undefined,
  body: Buffer.alloc(0),
  broken: undefined,
};

function readAnswer(stream: ClientHttp2Stream, timeoutMs: number): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let answer = NOTHING;
    const note = (headers: object) => {
      answer = { ...answer, ...readHeaders(headers as Record<string, string | string[] | undefined>, answer) };
    };
    const timer = setTimeout(() => {
      answer = { ...answer, broken: 'no end in time' };
      stream.close(constants.NGHTTP2_CANCEL);
      resolve(answer);
    }, timeoutMs);
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => {
      if (answer.body.length < BODY_BYTES_MAX) answer = { ...answer, body: Buffer.concat([answer.body, chunk]) };
    });
    stream.on('error', (error) => {
      answer = { ...answer, broken: error.message };
    });
    stream.on('close', () => {
      clearTimeout(timer);
      const { rstCode } = stream;
      const broken = answer.broken ?? (answer.status === undefined ? `closed with ${rstCode}` : undefined);
      resolve({ ...answer, broken });
    });
  });
}

function readHeaders(headers: Record<string, string | string[] | undefined>, before: RawAnswer): Partial<RawAnswer> {
  const status = headers['grpc-status'];
  const details = headers['grpc-status-details-bin'];
  return {
    http: headers[':status'] === undefined ? before.http : Number(headers[':status']),
    ...(status !== undefined && {
      status: Number(status),
      message: decodeURIComponent(String(headers['grpc-message'] ?? '')),
      details: details === undefined ? undefined : Status.decode(Buffer.from(String(details), 'base64')),
    }),
  };
}
