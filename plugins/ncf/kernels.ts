import { type Address, kernelModule, type WritableAddress } from '../contract/index.ts';

/** What `kernels.as.ts` exports. Vectors are f32; all lengths but `rank` are multiples of 4; numbers are taken as f32. */
export interface NcfKernels {
  dot(p: Address, q: Address, n: number): number;
  products(
    p: Address,
    q: Address,
    v: Address,
    n: number,
    pq: WritableAddress,
    wq: WritableAddress,
    wp: WritableAddress,
  ): void;
  layer(
    x: Address,
    w: Address,
    bias: Address,
    a: Address,
    b: Address,
    rank: number,
    ins: number,
    outs: number,
    t: WritableAddress,
    y: WritableAddress,
  ): void;
  back(
    z: WritableAddress,
    y: Address,
    w: Address,
    a: Address,
    b: Address,
    rank: number,
    ins: number,
    outs: number,
    keep: number,
    s: WritableAddress,
    dx: WritableAddress,
  ): void;
  copy(to: WritableAddress, from: Address, n: number): void;
  addTo(to: WritableAddress, from: Address, n: number, share: number): void;
  addOuter(w: WritableAddress, x: Address, z: Address, ins: number, outs: number, share: number): void;
  step(row: WritableAddress, gradient: Address, n: number, rate: number, error: number, l2: number): void;
  adapt(
    a: WritableAddress,
    b: WritableAddress,
    t: Address,
    s: Address,
    z: Address,
    x: Address,
    rank: number,
    ins: number,
    outs: number,
    rate: number,
    error: number,
    l2: number,
  ): void;
  adam(
    row: WritableAddress,
    gradient: WritableAddress,
    mean: WritableAddress,
    squares: WritableAddress,
    n: number,
    rate: number,
    l2: number,
    beta1: number,
    beta2: number,
    fix2: number,
  ): void;
  scores(
    p: Address,
    q: Address,
    x: Address,
    stride: number,
    n: number,
    count: number,
    times: boolean,
    out: WritableAddress,
  ): void;
}

export const kernels = kernelModule<NcfKernels>(new URL('./kernels.wasm', import.meta.url));
