import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the benchmarks keep what they build or install; not in git. */
export const CACHE = fileURLToPath(new URL('../../build/bench', import.meta.url));

export function makeCache(): void {
  mkdirSync(CACHE, { recursive: true });
}
