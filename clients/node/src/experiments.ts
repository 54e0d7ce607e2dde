import { createHash } from 'node:crypto';

/**
 * Where a unit (a user id, usually) lies in [0, 1), as the server computes it: SHA-256 of salt, NUL and unit, its first 8
 * bytes as a big-endian integer, over 2^64.
 */
export function point(salt: string, unit: string): number {
  const digest = createHash('sha256').update(`${salt}\0${unit}`).digest();
  return Number(digest.readBigUInt64BE()) / 2 ** 64;
}
