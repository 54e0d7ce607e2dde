import { readFileSync } from 'node:fs';

/** The host's kernels, `kernels.as.ts` compiled. Addresses are bytes; each is documented there. */
export interface HostKernels {
  xxh64(address: number, bytes: number, seed: bigint): bigint;
  fillNormal(address: number, count: number, key: bigint, sd: number): void;
  topK(scores: number, count: number, k: number, out: number): number;
  rankOf(scores: number, count: number, position: number): number;
  excludeUnavailable(scores: number, rows: number, stride: number, count: number, now: number): void;
  applyMask(scores: number, mask: number, count: number): void;
  markTerm(places: number, stride: number, count: number, term: number, out: number): void;
  markTerms(places: number, stride: number, count: number, set: number, terms: number, out: number): void;
  markNumber(
    places: number,
    stride: number,
    count: number,
    field: number,
    orders: number,
    bound: number,
    out: number,
  ): void;
  dot(a: number, b: number, width: number): number;
  normalize(vector: number, width: number, out: number): void;
  raiseToDots(vector: number, vectors: number, width: number, count: number, maxima: number): void;
}

/** Instantiates a compiled kernel module over a memory. */
export function loadKernels<Kernels>(url: URL, memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(compile(url), { env: { memory } });
  return instance.exports as Kernels;
}

export function loadHostKernels(memory: WebAssembly.Memory): HostKernels {
  const kernels = loadKernels<HostKernels>(new URL('./kernels.wasm', import.meta.url), memory);
  // WebAssembly knows 64-bit integers as signed ones.
  return { ...kernels, xxh64: (address, bytes, seed) => BigInt.asUintN(64, kernels.xxh64(address, bytes, seed)) };
}

const compiled = new Map<string, WebAssembly.Module>();

function compile(url: URL): WebAssembly.Module {
  const known = compiled.get(url.href);
  if (known) return known;
  const module = new WebAssembly.Module(readFileSync(url));
  compiled.set(url.href, module);
  return module;
}
