import type { RingMessage } from '../ring.ts';

/** Message number `n` of a test, the same in every thread: up to 99 bytes. */
export function patternOf(n: number): RingMessage {
  return { kind: n % 7, call: (n * 0x9e37_79b1) >>> 0, stamp: n / 3, payload: Buffer.alloc((n * 37) % 100, n) };
}
