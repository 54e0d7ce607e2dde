import { digestOf, littleWord } from './digest.ts';

/** What stands for a user, or another unit, in exposures: the first 8 bytes, little-endian, of its SHA-256; never 0. */
export function unitKey(unit: string | Uint8Array): bigint {
  const digest = digestOf(unit);
  return (BigInt(littleWord(digest, 4)) << 32n) | BigInt(littleWord(digest, 0)) || 1n;
}
