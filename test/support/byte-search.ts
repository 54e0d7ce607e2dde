import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Which of these stand in which files of a folder. */
export function searchFiles(folder: string, wanted: readonly (string | Buffer)[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const path = join(folder, name);
    const bytes = readIfThere(path);
    return wanted
      .filter((each) => bytes.includes(each))
      .map((each) => `${typeof each === 'string' ? each : each.toString('hex')} in ${name}`);
  });
}

/** Files come and go while a server works. */
function readIfThere(path: string): Buffer {
  try {
    return statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** A number as files may have it: f32 and f64, the latter as protobuf has it too. */
export function bytesOfNumber(value: number): Buffer[] {
  const [f32, f64] = [Buffer.alloc(4), Buffer.alloc(8)];
  f32.writeFloatLE(value);
  f64.writeDoubleLE(value);
  return [f32, f64];
}
