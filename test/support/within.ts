import { setTimeout as sleep } from 'node:timers/promises';

/** What `waited` comes to, if that is soon enough; throws else, and says for what it has waited. */
export async function within<T>(limitMs: number, what: string, waited: T | Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = sleep(limitMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`waited ${limitMs / 1000} s for this, in vain: ${what}`);
  });
  try {
    return await Promise.race([waited, late]);
  } finally {
    over.abort();
  }
}
