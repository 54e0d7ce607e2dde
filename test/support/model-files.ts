import { createHash } from 'node:crypto';
import type { FileHeader } from '../../proto/gen/accrete/v1/file.ts';
import { type ImportModelResponse, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { type Client, joinFile } from './client.ts';

/** Models as files, by the wire. */

const CHUNK_BYTES = 256 * 1024;

/** A model as a file: what its header says, and its bytes. */
export async function exportModel(client: Client, name: string, version = '') {
  return joinFile(await client.collect(ModelServiceService.exportModel, { name, version }));
}

/** Sends a file in chunks; `header` says what is not as it should be, and before its end it waits for `ready`. */
export function importModel(
  client: Client,
  name: string,
  bytes: Uint8Array,
  header: Partial<FileHeader> = {},
  ready: Promise<unknown> = Promise.resolve(),
): Promise<ImportModelResponse> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const first = { $case: 'header', value: { name, bytes: BigInt(bytes.length), sha256, ...header } } as const;
  const chunks = Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, n) => {
    const value = Buffer.from(bytes.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES));
    return { $case: 'chunk', value } as const;
  });
  const requests = async function* () {
    yield { content: first };
    for (const content of chunks) yield { content };
    await ready;
  };
  return client.send(ModelServiceService.importModel, requests());
}
