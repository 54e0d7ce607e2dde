import type { IdsName } from '../description.ts';
import { encodeHeader, LENGTH_BYTES, type TensorSpec } from '../safetensors.ts';

/** Model files made by hand, as somebody else would write them. */

/** A tensor and its values. */
export interface MadeTensor extends TensorSpec {
  readonly values: ArrayLike<number | bigint> & ArrayBufferView;
}

export const METADATA = {
  accrete: '1',
  plugin: 'mf',
  config: '{"k":2}',
  stateVersion: '3',
  tables: '{"users":{"index":"user","rows":2},"model":{"index":"model","rows":1}}',
};

/** Two users, one of them of several bytes a letter, with vectors; and a table of the model. */
export const TENSORS: readonly MadeTensor[] = [
  { name: 'table.model.sum', dtype: 'F64', shape: [1], values: Float64Array.of(-0.5) },
  { name: 'ids.users.starts', dtype: 'I64', shape: [3], values: BigInt64Array.of(0n, 3n, 9n) },
  { name: 'table.users.vector', dtype: 'F32', shape: [2, 2], values: Float32Array.of(1, 2, 3, 0.25) },
  { name: 'table.users.count', dtype: 'U32', shape: [2], values: Uint32Array.of(7, 0xffff_ffff) },
  { name: 'ids.users.bytes', dtype: 'U8', shape: [9], values: new TextEncoder().encode('ann雪花') },
];

/** The ids of these users or items, by row. */
export function makeIds(name: IdsName, texts: readonly string[]): MadeTensor[] {
  const starts = new BigInt64Array(texts.length + 1);
  for (const [n, text] of texts.entries()) starts[n + 1] = starts[n] + BigInt(Buffer.byteLength(text));
  const bytes = new TextEncoder().encode(texts.join(''));
  return [
    { name: `ids.${name}.starts`, dtype: 'I64', shape: [starts.length], values: starts },
    { name: `ids.${name}.bytes`, dtype: 'U8', shape: [bytes.length], values: bytes },
  ];
}

/** Another value for the tensor of that name. */
export function withTensor(name: string, change: Partial<MadeTensor>): MadeTensor[] {
  return TENSORS.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor));
}

export function makeModelBytes(
  metadata: Readonly<Record<string, string>> = METADATA,
  tensors: readonly MadeTensor[] = TENSORS,
): Buffer {
  const data = tensors.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  return Buffer.concat([encodeHeader(metadata, tensors), ...data]);
}

/** The same bytes with another header, which is any text. */
export function withHeader(file: Buffer, change: (json: string) => string): Buffer {
  const end = LENGTH_BYTES + Number(file.readBigUInt64LE());
  const header = Buffer.from(change(file.toString('utf8', LENGTH_BYTES, end)));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, file.subarray(end)]);
}
