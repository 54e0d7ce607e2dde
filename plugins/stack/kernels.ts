import { type Address, kernelModule, type WritableAddress } from '../contract/index.ts';

/** What `kernels.as.ts` exports. */
export interface StackKernels {
  learn(
    p: WritableAddress,
    w: WritableAddress,
    x: Address,
    g: WritableAddress,
    n: number,
    error: number,
    weight: number,
    forgetting: number,
    most: number,
  ): void;
  dot(a: Address, b: Address, bytes: number): number;
  moments(scores: Address, count: number, out: WritableAddress): void;
  fill(out: WritableAddress, count: number, value: number): void;
  blend(scores: Address, count: number, a: number, b: number, out: WritableAddress): void;
}

export const kernels = kernelModule<StackKernels>(new URL('./kernels.wasm', import.meta.url));
