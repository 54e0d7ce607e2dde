import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { damagedFile, foreignFile } from './refusals.ts';
import {
  DTYPE_BYTES,
  type Dtype,
  decodeHeader,
  type Header,
  headerBytesOf,
  LENGTH_BYTES,
  type Tensor,
} from './safetensors.ts';

export type Numbers = Float32Array | Float64Array | Uint32Array | BigInt64Array | Uint8Array;

const ARRAY_OF: { readonly [Each in Dtype]: new (count: number) => Numbers } = {
  F32: Float32Array,
  F64: Float64Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
};

/** A file of tensors that is open. What is read of it is a copy. */
export class TensorFile {
  /** For messages. */
  readonly name: string;
  readonly #handle: number;
  readonly #header: Header;

  private constructor(name: string, handle: number, header: Header) {
    this.name = name;
    this.#handle = handle;
    this.#header = header;
  }

  /** `name`: for messages. Throws FILE_FOREIGN, and what the system says. */
  static open(path: string, name: string): TensorFile {
    const handle = openSync(path, 'r');
    try {
      const stats = fstatSync(handle);
      if (!stats.isFile()) throw foreignFile(name, 'it is no file');
      const length = read(handle, 0, Buffer.alloc(Math.min(stats.size, LENGTH_BYTES)), name);
      const header = Buffer.alloc(headerBytesOf(length, stats.size, name));
      return new TensorFile(name, handle, decodeHeader(read(handle, LENGTH_BYTES, header, name), stats.size, name));
    } catch (error) {
      closeSync(handle);
      throw error;
    }
  }

  get metadata(): Header['metadata'] {
    return this.#header.metadata;
  }

  get names(): Iterable<string> {
    return this.#header.tensors.keys();
  }

  find(name: string): Tensor | undefined {
    return this.#header.tensors.get(name);
  }

  /** Throws FILE_FOREIGN. */
  require(name: string): Tensor {
    const tensor = this.find(name);
    if (tensor) return tensor;
    throw foreignFile(this.name, `it has no tensor ${JSON.stringify(name)}`);
  }

  /** The values of [from, to) of a tensor. */
  read(name: string, from: number, to: number): Numbers {
    const { dtype, start, bytes } = this.require(name);
    const width = DTYPE_BYTES[dtype];
    if (!(from >= 0 && to >= from && to * width <= bytes))
      throw new RangeError(`${name} has no values ${from} to ${to}`);
    const values = new ARRAY_OF[dtype](to - from);
    read(this.#handle, start + from * width, Buffer.from(values.buffer), this.name);
    return values;
  }

  close(): void {
    closeSync(this.#handle);
  }
}

/** Fills `into`. */
function read(handle: number, at: number, into: Buffer, name: string): Buffer {
  for (let filled = 0; filled < into.length; ) {
    const count = readSync(handle, into, filled, into.length - filled, at + filled);
    if (count === 0) throw damagedFile(name, 'it is shorter than it was');
    filled += count;
  }
  return into;
}
