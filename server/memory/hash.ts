/** Hashes for looking things up; the hash of the state's bytes is the kernel `xxh64`. All keep to 32-bit arithmetic. */

/** FNV-1a over `length` bytes, keyed by `seed`, with a final mix. */
export function hashBytes(bytes: Uint8Array, start: number, length: number, seed: number): number {
  let hash = seed ^ 0x811c_9dc5;
  const end = start + length;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x0100_0193);
  return finish(hash);
}

/** Of two row numbers. */
export function hashPair(first: number, second: number): number {
  return finish(Math.imul(first, 0x9e37_79b1) ^ Math.imul(second, 0x85eb_ca77));
}

/** lowbias32 (Wellons 2018). */
function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0_aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a_2d97);
  return (hash ^ (hash >>> 15)) >>> 0;
}
