import { createHash } from 'node:crypto';

/**
 * Where a unit (a user id, usually) lies in [0, 2^32), as the server computes it: the first 4 bytes, big-endian, of SHA-256
 * of salt, NUL and unit.
 */
export function point(salt: string, unit: string): number {
  return createHash('sha256').update(`${salt}\0${unit}`).digest().readUInt32BE();
}
