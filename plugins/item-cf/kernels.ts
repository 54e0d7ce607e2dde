import { type Address, kernelModule, type WritableAddress } from '../contract/index.ts';

/** What `kernels.as.ts` exports. `items` are u32, `values` f64, `gains`, `fades`, `sums` and `out` f32, one each. */
export interface ItemCfKernels {
  put(view: WritableAddress, at: number, word: number): void;
  lean(
    view: Address,
    item: number,
    count: number,
    items: Address,
    values: Address,
    places: WritableAddress,
    common: number,
    shrink: number,
    doubt: number,
  ): number;
  pair(
    view: Address,
    item: number,
    count: number,
    items: Address,
    values: Address,
    common: number,
    residual: number,
    weight: number,
  ): void;
  unpair(view: Address, item: number, other: number, weight: number): void;
  split(view: Address, item: number, sets: number): void;
  likeness(
    view: Address,
    item: number,
    from: number,
    count: number,
    shrink: number,
    doubt: number,
    out: WritableAddress,
  ): void;
  follow(
    view: Address,
    item: number,
    count: number,
    items: Address,
    gains: Address,
    weight: number,
    back: number,
    keep: number,
  ): void;
  amend(view: Address, from: number, to: number, amount: number): void;
  leads(view: Address, from: number, to: number): number;
  gather(
    view: Address,
    itemView: Address,
    count: number,
    items: Address,
    fades: Address,
    from: number,
    length: number,
    sums: WritableAddress,
  ): void;
  together(matrix: WritableAddress, stride: number, places: Address, count: number): void;
  eliminate(
    matrix: WritableAddress,
    m: number,
    stride: number,
    first: number,
    size: number,
    rows: WritableAddress,
  ): void;
  clear(at: WritableAddress, count: number): void;
  discounted(itemView: Address, from: number, count: number, sums: Address, out: WritableAddress): void;
}

export const kernels = kernelModule<ItemCfKernels>(new URL('./kernels.wasm', import.meta.url));
