import type { FileHeader } from '../../proto/gen/accrete/v1/file.ts';
import { type ImportModelRequest, ImportModelResponse } from '../../proto/gen/accrete/v1/model.ts';
import { AccreteError, invalidField } from '../errors.ts';
import type { IncomingFile } from '../serving/imports.ts';
import type { Gate } from '../serving/serving.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import { Fields } from './fields.ts';
import { type ClientStreamMethod, clientStream } from './service.ts';

const CHUNK_BYTES_MAX = 256 * 1024;
const SHA256 = /^[0-9a-f]{64}$/;

/** ModelService.ImportModel: what comes is written to the disk as it comes, looked at, and kept. */
export function importModelMethod(gate: Gate): ClientStreamMethod {
  return clientStream(ImportModelResponse, async (requests: AsyncIterable<ImportModelRequest>, call) => {
    const { imports } = await gate.enter(() => call.signal);
    const messages = patient(requests, imports.idleMs);
    const { value: first } = await messages.next();
    const file = requireHeader(first?.content?.$case === 'header' ? first.content.value : undefined);
    const tables = await imports.receive(file, chunksOf(messages), call.signal);
    return {
      file: file.name,
      tables: tables.map(({ name, rows, bytes }) => ({ name, rows: BigInt(rows), bytes: BigInt(bytes), hash: '' })),
    };
  });
}

/** So much, or such a part of a smaller file, has to come within `imports.idleMs`. */
const PACE = { bytes: 2 ** 20, part: 1 / 16 };

/** Ends with IMPORT_IDLE where too little comes for too long: what is on its way holds a place that others may want. */
async function* patient(requests: AsyncIterable<ImportModelRequest>, idleMs: number) {
  const messages = requests[Symbol.asyncIterator]();
  let untilMs = performance.now() + idleMs;
  let pace = 1;
  for (let came = 0; ; ) {
    const { done, value } = await unlessIdle(messages.next(), untilMs - performance.now(), idleMs);
    if (done) return;
    const begunMs = performance.now();
    yield value;
    // What was done with it does not count: that is not the client's time.
    untilMs += performance.now() - begunMs;
    const { content } = value;
    if (content?.$case === 'header') pace = Math.max(1, Math.min(PACE.bytes, Number(content.value.bytes) * PACE.part));
    came += content?.$case === 'chunk' ? content.value.length : pace;
    if (came < pace) continue;
    came = 0;
    untilMs = performance.now() + idleMs;
  }
}

async function unlessIdle<Value>(coming: Promise<Value>, leftMs: number, idleMs: number): Promise<Value> {
  const { promise: idle, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(importIdle(idleMs)), Math.max(0, leftMs));
  try {
    return await Promise.race([coming, idle]);
  } finally {
    clearTimeout(timer);
    // It may fail when nobody waits any more.
    coming.catch(() => {});
  }
}

function importIdle(idleMs: number): AccreteError {
  const message = `Too little came of the model file for ${idleMs} ms (imports.idleMs): send it again, without a pause`;
  return new AccreteError('IMPORT_IDLE', message, { metadata: { idleMs: String(idleMs) } });
}

async function* chunksOf(messages: AsyncIterator<ImportModelRequest>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await messages.next();
    if (done) return;
    const { content } = value;
    if (content?.$case !== 'chunk') throw invalidField('chunk', 'is missing: after the header send chunks alone');
    const { length } = content.value;
    if (length > CHUNK_BYTES_MAX) throw invalidField('chunk', `has ${length} bytes: send at most ${CHUNK_BYTES_MAX}`);
    yield content.value;
  }
}

/** Throws INVALID_FIELD. */
function requireHeader(header: FileHeader | undefined): IncomingFile {
  if (!header) throw invalidField('header', 'is missing: send it first');
  const { name, bytes, sha256 } = header;
  const fields = new Fields();
  const form = '1 to 128 of `a-z`, `A-Z`, `0-9`, `_`, `.`, `-`, the first no dot';
  if (!ImportFolder.isName(name))
    fields.refuse('header.name', `is ${JSON.stringify(name.slice(0, 150))}: send ${form}`);
  else if (ImportFolder.isFetchedName(name))
    fields.refuse('header.name', `is ${name}, as only what is fetched from peers is called: send another one`);
  if (bytes <= 0n || bytes > Number.MAX_SAFE_INTEGER)
    fields.refuse('header.bytes', `is ${bytes}: send the size of the file`);
  if (!SHA256.test(sha256))
    fields.refuse('header.sha256', 'is not the SHA-256 of the bytes in hexadecimal, in lower case');
  fields.check();
  return { name, bytes: Number(bytes), sha256 };
}
