import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { KernelModule, WritableAddress } from '../../plugins/contract/index.ts';

/** Kernels of a plugin, over a memory of their own. */
export function instantiate<Kernels>({ url }: KernelModule<Kernels>): {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
} {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(url)), { env: { memory } });
  return { kernels: instance.exports as unknown as Kernels, memory };
}

const START = 1024;
const FENCE = 4;

/** Copies of vectors in the kernels' memory, each followed by a number that no kernel may touch. */
export class VectorBench {
  readonly #floats: Float32Array;
  readonly #vectors: { readonly address: number; readonly length: number }[] = [];
  #top = START;

  constructor(memory: WebAssembly.Memory) {
    this.#floats = new Float32Array(memory.buffer);
  }

  place(vector: Float32Array): WritableAddress {
    const address = this.#top;
    this.#floats.set(vector, address >>> 2);
    this.#floats[(address >>> 2) + vector.length] = FENCE;
    this.#vectors.push({ address, length: vector.length });
    this.#top += 4 * vector.length + 4;
    return address as WritableAddress;
  }

  /** Room for so many numbers, which are not 0. */
  space(length: number): WritableAddress {
    return this.place(new Float32Array(length).fill(7));
  }

  read(address: number, length: number): Float32Array {
    return this.#floats.slice(address >>> 2, (address >>> 2) + length);
  }

  /** Fails when a kernel wrote behind a vector. */
  check(): void {
    for (const { address, length } of this.#vectors) assert.equal(this.#floats[(address >>> 2) + length], FENCE);
  }
}
