import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { Meter } from './meter.ts';

/** The SHA-256 of a file, in hexadecimal. */
export async function hashFile(path: string, meter: Meter): Promise<string> {
  meter.begin('hash', 'bytes', statSync(path).size, undefined);
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) {
    hash.update(piece as Buffer);
    meter.add((piece as Buffer).length);
  }
  return hash.digest('hex');
}
