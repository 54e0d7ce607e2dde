import { z } from 'zod';
import { foreignFile } from './refusals.ts';
import { parseStrictly } from './strict-json.ts';

/**
 * The form of safetensors: the length of a header (u64), the header as JSON, and the tensors, one after the other without
 * gaps, numbers with the lowest byte first. What they mean is in `description.ts`.
 *
 * https://github.com/huggingface/safetensors#format
 */

/** Those that model files have. */
export const DTYPE_BYTES = { F32: 4, F64: 8, U32: 4, I64: 8, U8: 1 } as const;
export type Dtype = keyof typeof DTYPE_BYTES;

export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface Tensor extends TensorSpec {
  /** Where it begins in the file. */
  readonly start: number;
  readonly bytes: number;
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Of the length that the file begins with. */
export const LENGTH_BYTES = 8;
const HEADER_BYTES_MAX = 1024 * 1024;
const TENSORS_MAX = 1024;
const ALIGNMENT = 8;
const METADATA = '__metadata__';

export function tensorBytes({ dtype, shape }: Pick<TensorSpec, 'dtype' | 'shape'>): number {
  return shape.reduce((product, length) => product * length, DTYPE_BYTES[dtype]);
}

/** The beginning of a file, up to its first tensor: they follow in this order. */
export function encodeHeader(metadata: Readonly<Record<string, string>>, tensors: readonly TensorSpec[]): Buffer {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    const start = end;
    end += tensorBytes({ dtype, shape });
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const json = Buffer.from(JSON.stringify({ [METADATA]: metadata, ...Object.fromEntries(entries) }));
  // So that the tensors are aligned; readers take the spaces for what they are in JSON.
  const header = Buffer.alloc(LENGTH_BYTES + Math.ceil(json.length / ALIGNMENT) * ALIGNMENT, ' ');
  header.writeBigUInt64LE(BigInt(header.length - LENGTH_BYTES));
  header.set(json, LENGTH_BYTES);
  return header;
}

/** How long the header is that follows its length. Throws FILE_FOREIGN. */
export function headerBytesOf(length: Buffer, fileBytes: number, file: string): number {
  if (length.length < LENGTH_BYTES) throw foreignFile(file, `it has ${fileBytes} bytes`);
  const bytes = length.readBigUInt64LE();
  if (bytes > HEADER_BYTES_MAX)
    throw foreignFile(file, `its header has ${bytes} bytes, at most ${HEADER_BYTES_MAX} are`);
  if (Number(bytes) > fileBytes - LENGTH_BYTES) throw foreignFile(file, `it ends within its header`);
  return Number(bytes);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const size = z.int().min(0);
const tensorForm = z.strictObject({
  dtype: z.string(),
  shape: z.array(size).max(8),
  data_offsets: z.tuple([size, size]),
});

/** Throws FILE_FOREIGN for whatever is not so, also when the tensors are not all of the rest of the file. */
export function decodeHeader(header: Uint8Array, fileBytes: number, file: string): Header {
  const entries = Object.entries(parseHeader(header, file));
  if (entries.length > TENSORS_MAX) throw foreignFile(file, `it has more than ${TENSORS_MAX} tensors`);
  const begin = LENGTH_BYTES + header.length;
  const metadata = new Map<string, string>();
  const tensors: Tensor[] = [];
  for (const [name, value] of entries) {
    if (name !== METADATA) tensors.push(readTensor(name, value, begin, file));
    else for (const [key, text] of Object.entries(readMetadata(value, file))) metadata.set(key, text);
  }
  requireNoGaps(tensors, begin, fileBytes, file);
  return { metadata, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

function parseHeader(header: Uint8Array, file: string): object {
  try {
    const parsed = parseStrictly(utf8.decode(header));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    throw foreignFile(file, `its header cannot be read: ${(error as Error).message}`, error);
  }
  throw foreignFile(file, 'its header is no object of JSON');
}

function readMetadata(value: unknown, file: string): Readonly<Record<string, string>> {
  const parsed = z.record(z.string(), z.string()).safeParse(value);
  if (!parsed.success) throw foreignFile(file, `its ${METADATA} maps a text to what is none`);
  return parsed.data;
}

function readTensor(name: string, value: unknown, begin: number, file: string): Tensor {
  const parsed = tensorForm.safeParse(value);
  const fail = (what: string) => foreignFile(file, `the tensor ${JSON.stringify(name.slice(0, 80))} ${what}`);
  if (!parsed.success) throw fail('needs dtype, shape and data_offsets, and nothing else');
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  if (!Object.hasOwn(DTYPE_BYTES, dtype))
    throw fail(`has dtype ${JSON.stringify(dtype.slice(0, 20))}: there may be ${Object.keys(DTYPE_BYTES).join(', ')}`);
  const spec = { name, dtype: dtype as Dtype, shape };
  const bytes = offsets[1] - offsets[0];
  if (bytes !== tensorBytes(spec)) throw fail(`has ${bytes} bytes by its offsets, ${tensorBytes(spec)} by its shape`);
  return { ...spec, start: begin + offsets[0], bytes };
}

function requireNoGaps(tensors: readonly Tensor[], begin: number, fileBytes: number, file: string): void {
  let end = begin;
  // An empty one comes before the one that begins where it ends.
  for (const { name, start, bytes } of [...tensors].sort((a, b) => a.start - b.start || a.bytes - b.bytes)) {
    if (start !== end)
      throw foreignFile(
        file,
        `the tensor ${JSON.stringify(name.slice(0, 80))} does not begin where the one before ends`,
      );
    end += bytes;
  }
  if (end !== fileBytes) throw foreignFile(file, `it has ${fileBytes} bytes, and its tensors end after ${end}`);
}
