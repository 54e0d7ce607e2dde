import { hash } from 'node:crypto';

/** SHA-256, a character for each of its 32 bytes: as a text it takes a third of the time that it takes as a buffer. */
export function digestOf(data: string | Uint8Array): string {
  return hash('sha256', data, 'binary');
}

/** Four bytes from `at` on, as a whole number, little-endian. */
export function littleWord(digest: string, at: number): number {
  return bigWord(digest, at + 3, -1);
}

/** The same, big-endian; with a step of -1 the bytes from `at` back. */
export function bigWord(digest: string, at: number, step = 1): number {
  const high = (digest.charCodeAt(at) << 8) | digest.charCodeAt(at + step);
  const low = (digest.charCodeAt(at + 2 * step) << 8) | digest.charCodeAt(at + 3 * step);
  return ((high << 16) | low) >>> 0;
}
