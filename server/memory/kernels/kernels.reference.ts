/** What the kernels compute, in plain TypeScript: the oracles of their tests. */

const P1 = 0x9e37_79b1_85eb_ca87n;
const P2 = 0xc2b2_ae3d_27d4_eb4fn;
const P3 = 0x1656_67b1_9e37_79f9n;
const P4 = 0x85eb_ca77_c2b2_ae63n;
const P5 = 0x27d4_eb2f_1656_67c5n;

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const rotate = (value: bigint, bits: bigint) => u64((value << bits) | (value >> (64n - bits)));
const round = (accumulator: bigint, lane: bigint) => u64(rotate(u64(accumulator + lane * P2), 31n) * P1);
const merge = (hash: bigint, accumulator: bigint) => u64((hash ^ round(0n, accumulator)) * P1 + P4);

/** XXH64 (Collet 2012). */
export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = u64(seed + P5);
  let at = 0;
  if (bytes.length >= 32) {
    let lanes = [u64(seed + P1 + P2), u64(seed + P2), seed, u64(seed - P1)];
    for (; at + 32 <= bytes.length; at += 32) {
      const stripe = at;
      lanes = lanes.map((lane, n) => round(lane, view.getBigUint64(stripe + 8 * n, true)));
    }
    hash = u64([1n, 7n, 12n, 18n].reduce((sum, bits, n) => sum + rotate(lanes[n], bits), 0n));
    hash = lanes.reduce(merge, hash);
  }
  hash = u64(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8)
    hash = u64(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
  if (at + 4 <= bytes.length) {
    hash = u64(rotate(hash ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = u64(rotate(hash ^ u64(BigInt(bytes[at]) * P5), 11n) * P1);
  hash = u64((hash ^ (hash >> 33n)) * P2);
  hash = u64((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}

/** Sums of four uniforms, each 16 bits of one SplitMix64 output (Steele 2014), centred and scaled to `sd`. */
export function fillNormal(count: number, key: bigint, sd: number): Float32Array {
  const scale = (Math.fround(sd) * Math.sqrt(3)) / 65_536;
  return Float32Array.from({ length: count }, (_, n) => {
    let z = u64(key + BigInt(n + 1) * 0x9e37_79b9_7f4a_7c15n);
    z = u64((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = u64((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    z ^= z >> 31n;
    const sum = [0n, 16n, 32n, 48n].reduce((total, shift) => total + Number((z >> shift) & 0xffffn), 0);
    return (sum - 131_070) * scale;
  });
}

/** Positions of the `k` best scores, best first, equal ones in order; -Infinity and NaN are left out. */
export function topK(scores: Float32Array, k: number): number[] {
  const positions = [...scores.keys()].filter((position) => scores[position] > Number.NEGATIVE_INFINITY);
  return positions.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, k);
}

/** How many stand before a position in the whole order; what `topK` leaves out stands behind all. */
export function rankOf(scores: Float32Array, position: number): number {
  const rank = topK(scores, scores.length).indexOf(position);
  return rank < 0 ? scores.length : rank;
}

/** When one row may be recommended, and its marks: 2 deleted, 4 unavailable, 8 bound to times. */
export interface AvailabilityRow {
  readonly from: number;
  readonly until: number;
  readonly marks: number;
}

export function excludeUnavailable(scores: Float32Array, rows: readonly AvailabilityRow[], now: number): Float32Array {
  return scores.map((score, n) => {
    const { from, until, marks } = rows[n];
    const hidden = (marks & 2) !== 0 || (marks & 4) !== 0;
    const outside = (marks & 8) !== 0 && !(from <= now && now < until);
    return hidden || outside ? Number.NEGATIVE_INFINITY : score;
  });
}

/** Bit n of the mask is bit n % 32 of word n/32. */
export function applyMask(scores: Float32Array, mask: Uint32Array): Float32Array {
  return scores.map((score, n) => ((mask[Math.floor(n / 32)] >>> (n % 32)) & 1 ? score : Number.NEGATIVE_INFINITY));
}

/** Four sums in f32; what is left over after the last four goes to sum 0. */
export function dot(a: Float32Array, b: Float32Array): number {
  const { fround } = Math;
  const sums = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let f = 0; f < a.length; f++) {
    const sum = f < whole ? f % 4 : 0;
    sums[sum] = fround(sums[sum] + fround(a[f] * b[f]));
  }
  return fround(fround(sums[0] + sums[2]) + fround(sums[1] + sums[3]));
}

export function normalize(vector: Float32Array): Float32Array {
  const length = Math.fround(Math.sqrt(dot(vector, vector)));
  const scale = length > 0 ? Math.fround(1 / length) : 0;
  return vector.map((value) => value * scale);
}

export function raiseToDots(
  vector: Float32Array,
  vectors: readonly Float32Array[],
  maxima: Float32Array,
): Float32Array {
  return maxima.map((maximum, n) => Math.max(maximum, dot(vector, vectors[n])));
}

/** What is known of a row. */
export interface IndexRow {
  readonly numbers: readonly { readonly field: number; readonly value: number }[];
  readonly terms: readonly number[];
}

export function markTerm(rows: readonly IndexRow[], term: number): boolean[] {
  return rows.map(({ terms }) => terms.includes(term));
}

export function markTerms(rows: readonly IndexRow[], set: ReadonlySet<number>): boolean[] {
  return rows.map(({ terms }) => terms.some((term) => set.has(term)));
}

/** `orders`: the sum of 1 for below, 2 for equal, 4 for above. */
export function markNumber(rows: readonly IndexRow[], field: number, orders: number, bound: number): boolean[] {
  const accepts = (value: number) =>
    (value < bound && (orders & 1) > 0) || (value === bound && (orders & 2) > 0) || (value > bound && (orders & 4) > 0);
  return rows.map(({ numbers }) => numbers.some((number) => number.field === field && accepts(number.value)));
}
