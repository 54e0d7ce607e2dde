import { createHash } from 'node:crypto';
import { AccreteError } from '../errors.ts';
import type { Meter } from './meter.ts';

/** What follows, then its bytes. */
export type FileItem =
  | { readonly type: 'header'; readonly name: string; readonly bytes: number; readonly sha256: string }
  | { readonly type: 'chunk'; readonly chunk: Uint8Array };

export const CHUNK_BYTES = 256 * 1024;

/** A file on its way: `pack` makes its bytes, in pieces that are valid until the next one. */
export interface SentFile {
  readonly name: string;
  readonly pack: () => Iterable<Uint8Array>;
  /** About how large it will be. */
  readonly estimate: number;
}

/**
 * Sends a file. It is made twice, since its size and checksum stand before it; the same comes both times unless somebody is
 * forgotten meanwhile. Throws CHECKPOINT_FAILED, and what `pack` throws.
 */
export function* sendFile({ name, pack, estimate }: SentFile, meter: Meter): Generator<FileItem> {
  meter.begin('check', 'bytes', estimate, undefined);
  const first = measure(pack(), (bytes) => meter.add(bytes));
  yield { type: 'header', name, ...first };
  meter.begin('send', 'bytes', first.bytes);
  const hash = createHash('sha256');
  for (const chunk of chunksOf(pack())) {
    hash.update(chunk);
    meter.add(chunk.length);
    yield { type: 'chunk', chunk };
  }
  if (hash.digest('hex') !== first.sha256)
    throw new AccreteError('CHECKPOINT_FAILED', 'The store was changed while it was exported: export it again');
}

function measure(pieces: Iterable<Uint8Array>, onBytes: (bytes: number) => void): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
    onBytes(piece.length);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The same bytes in chunks that are memory of their own, so that they can go to another thread. */
function* chunksOf(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let used = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + CHUNK_BYTES - used);
      chunk.set(part, used);
      used += part.length;
      at += part.length;
      if (used < CHUNK_BYTES) continue;
      yield chunk;
      chunk = new Uint8Array(CHUNK_BYTES);
      used = 0;
    }
  }
  if (used > 0) yield chunk.slice(0, used);
}
