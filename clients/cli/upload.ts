import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import {
  type ImportModelRequest,
  type ImportModelResponse,
  ModelServiceService,
} from '../../proto/gen/accrete/v1/model.ts';
import type { Connection } from './connection.ts';
import { UsageError } from './failure.ts';
import type { Progress } from './progress.ts';

const CHUNK_BYTES = 256 * 1024;
/** A large file is looked at after it came. */
const TIMEOUT_MS = 24 * 3_600_000;

/** Sends a model file to a server, by a name. It is read twice: its checksum stands before it. Rejects with Failure. */
export async function upload(
  connection: Connection,
  path: string,
  name: string,
  progress: Progress,
): Promise<ImportModelResponse> {
  const stats = await stat(path);
  // A pipe can be read once.
  if (!stats.isFile()) throw new UsageError(`${path} is no file: write what it has to one first`);
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  const header = { name, bytes: BigInt(stats.size), sha256: hash.digest('hex') };
  const startMs = performance.now();
  async function* requests(): AsyncGenerator<ImportModelRequest> {
    yield { content: { $case: 'header', value: header } };
    let bytes = 0;
    for await (const piece of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      const value = piece as Buffer;
      yield { content: { $case: 'chunk', value } };
      bytes += value.length;
      const seconds = (performance.now() - startMs) / 1000;
      progress.update({
        unit: 'MiB',
        done: bytes / 2 ** 20,
        position: bytes,
        total: stats.size,
        seconds,
        phase: 'send',
      });
    }
  }
  try {
    return await connection.send(ModelServiceService.importModel, requests(), TIMEOUT_MS);
  } finally {
    progress.stop();
  }
}
