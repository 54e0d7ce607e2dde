import { hash } from 'node:crypto';

/** What stands for a user, or another unit, in exposures: the first 8 bytes, little-endian, of its SHA-256; never 0. */
export function unitKey(unit: string | Uint8Array): bigint {
  return (hash('sha256', unit, 'buffer') as Buffer).readBigUInt64LE(0) || 1n;
}
