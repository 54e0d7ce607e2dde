import { type Address, kernelModule, type WritableAddress } from '../contract/index.ts';

/** What `kernels.as.ts` exports. */
export interface BanditKernels {
  scoresByItem(
    shown: Address,
    earned: Address,
    stride: number,
    count: number,
    prior: number,
    rate: number,
    z: number,
    alpha: number,
    out: WritableAddress,
  ): void;
  ask(weights: Address, inverse: Address, ridge: number, n: number, taste: WritableAddress): void;
  scoresByTaste(
    vector: Address,
    shown: Address,
    earned: Address,
    stride: number,
    count: number,
    n: number,
    taste: WritableAddress,
    prior: number,
    rate: number,
    reach: number,
    out: WritableAddress,
  ): void;
  believe(
    vector: Address,
    shown: Address,
    earned: Address,
    n: number,
    taste: WritableAddress,
    prior: number,
    rate: number,
    out: WritableAddress,
  ): void;
}

/** Bytes that `taste` takes. */
export function tasteBytes(n: number): number {
  const even = n + (n % 2);
  return 80 + 40 * even + 4 * even * (even + 2);
}

/** In the place of an address: there is nothing. */
export const NOWHERE = 0 as Address;

export const kernels = kernelModule<BanditKernels>(new URL('./kernels.wasm', import.meta.url));
