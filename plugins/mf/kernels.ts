import { type Address, kernelModule, type WritableAddress } from '../contract/index.ts';

/** What `kernels.as.ts` exports. Vectors are `k` f32; rates and errors are taken as f32. */
export interface MfKernels extends IalsKernels {
  dot(p: Address, q: Address, k: number): number;
  gram(p: Address, q: Address, k: number, out: WritableAddress): void;
  scores(p: Address, q: Address, rank: Address, stride: number, k: number, count: number, out: WritableAddress): void;
  scaledScores(
    p: Address,
    q: Address,
    scale: Address,
    stride: number,
    k: number,
    count: number,
    out: WritableAddress,
  ): void;
  sigmoids(x: WritableAddress, count: number, offset: number): void;
  sgd(row: WritableAddress, other: Address, k: number, rate: number, error: number, l2: number): void;
  sgdBoth(p: WritableAddress, q: WritableAddress, k: number, rate: number, error: number, l2: number): void;
  momentum(
    row: WritableAddress,
    other: Address,
    k: number,
    rate: number,
    error: number,
    l2: number,
    last: WritableAddress,
    mu: number,
  ): void;
  adagrad(
    row: WritableAddress,
    other: Address,
    k: number,
    rate: number,
    error: number,
    l2: number,
    squares: WritableAddress,
  ): void;
  adam(
    row: WritableAddress,
    other: Address,
    k: number,
    rate: number,
    error: number,
    l2: number,
    mean: WritableAddress,
    squares: WritableAddress,
    beta1: number,
    beta2: number,
    fix2: number,
  ): void;
  contrast(
    s: Address,
    rows: Address,
    k: number,
    count: number,
    errors: WritableAddress,
    gradient: WritableAddress,
  ): void;
}

/** Of `ials`: S and A are k rows of k f64. */
export interface IalsKernels {
  gather(vectors: Address, count: number, stride: number, k: number, columns: WritableAddress): void;
  expectAll(p: Address, k: number, columns: Address, stride: number, products: WritableAddress): void;
  descend(
    p: WritableAddress,
    k: number,
    columns: Address,
    stride: number,
    weights: Address,
    products: WritableAddress,
    gram: Address,
    c: number,
    l2: number,
  ): void;
  addOuter(gram: WritableAddress, v: Address, k: number, weight: number): void;
  addAll(
    matrix: WritableAddress,
    b: WritableAddress,
    vectors: Address,
    weights: Address,
    count: number,
    k: number,
    block: WritableAddress,
  ): void;
  factorise(matrix: WritableAddress, k: number, least: number): void;
  substitute(factor: Address, k: number, b: WritableAddress): void;
  ridge(matrix: WritableAddress, b: WritableAddress, gram: Address, k: number, c: number, l2: number): void;
  list(vectors: WritableAddress, weights: WritableAddress, n: number, vector: Address, weight: number): void;
  widen(vector: Address, k: number, to: WritableAddress): void;
}

export const kernels = kernelModule<MfKernels>(new URL('./kernels.wasm', import.meta.url));
