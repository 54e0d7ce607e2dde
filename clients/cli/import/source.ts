import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { Failure } from '../failure.ts';

/** The bytes of a file or of standard input, decompressed as they come. */
export interface Source {
  readonly chunks: AsyncIterable<Buffer>;
  /** Size as stored; undefined where it is not known beforehand. */
  readonly bytesTotal: number | undefined;
  /** Bytes read so far, as stored. */
  readonly bytesRead: () => number;
}

/** Standard input, where a file is named. */
export const STDIN = '-';

/** A file in messages. */
export function nameOf(path: string): string {
  return path === STDIN ? 'standard input' : path;
}

const CHUNK_BYTES = 128 * 1024;
/** The first bytes of compressed files, and what decompresses them. */
const COMPRESSIONS = [
  { magic: Buffer.from([0x1f, 0x8b]), decompress: () => createGunzip({ chunkSize: CHUNK_BYTES }) },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), decompress: () => createZstdDecompress({ chunkSize: CHUNK_BYTES }) },
];

/** Opens a file, or standard input for `-`. Whether it is compressed is told by its first bytes, not by its name. */
export async function openSource(path: string): Promise<Source> {
  const stats = path === STDIN ? undefined : await stat(path);
  const stored = path === STDIN ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  let bytesRead = 0;
  async function* count(): AsyncGenerator<Buffer> {
    for await (const chunk of stored) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  return {
    chunks: await decompressed(count(), path),
    bytesTotal: stats?.isFile() ? stats.size : undefined,
    bytesRead: () => bytesRead,
  };
}

async function decompressed(chunks: AsyncGenerator<Buffer>, path: string): Promise<AsyncIterable<Buffer>> {
  const head = await readHead(chunks);
  const compression = COMPRESSIONS.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
  const whole = resume(head, chunks);
  if (!compression) return whole;
  const plain = pipeline(Readable.from(whole), compression.decompress(), () => {});
  return explained(plain, path);
}

/** The first bytes, enough to tell what they are; fewer if there are no more. */
async function readHead(chunks: AsyncGenerator<Buffer>): Promise<Buffer> {
  const lengthMin = Math.max(...COMPRESSIONS.map(({ magic }) => magic.length));
  let head = Buffer.alloc(0);
  while (head.length < lengthMin) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  return head;
}

async function* resume(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    yield* rest;
  } finally {
    await rest.return(undefined); // closes the input also when nobody reads on
  }
}

async function* explained(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw new Failure(
      'DAMAGED_FILE',
      `${nameOf(path)} cannot be decompressed: ${(error as Error).message}; it is damaged or cut off`,
    );
  }
}
