// The host's own kernels over the shared memory. Addresses are bytes, unsigned. No static data.

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

// @ts-ignore: decorator
@inline
function round(accumulator: u64, lane: u64): u64 {
  return rotl<u64>(accumulator + lane * P2, 31) * P1;
}

// @ts-ignore: decorator
@inline
function merge(hash: u64, accumulator: u64): u64 {
  return (hash ^ round(0, accumulator)) * P1 + P4;
}

/** XXH64 (Collet 2012) of `length` bytes at `at`. */
export function xxh64(at: usize, length: u32, seed: u64): u64 {
  const end: usize = at + length;
  let hash: u64;
  if (length >= 32) {
    let v1 = seed + P1 + P2;
    let v2 = seed + P2;
    let v3 = seed;
    let v4 = seed - P1;
    for (const stripes: usize = end - 32; at <= stripes; at += 32) {
      v1 = round(v1, load<u64>(at));
      v2 = round(v2, load<u64>(at, 8));
      v3 = round(v3, load<u64>(at, 16));
      v4 = round(v4, load<u64>(at, 24));
    }
    hash = rotl<u64>(v1, 1) + rotl<u64>(v2, 7) + rotl<u64>(v3, 12) + rotl<u64>(v4, 18);
    hash = merge(merge(merge(merge(hash, v1), v2), v3), v4);
  } else {
    hash = seed + P5;
  }
  hash += <u64>length;
  for (; at + 8 <= end; at += 8) hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * P5), 11) * P1;
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  return hash ^ (hash >> 32);
}

/**
 * Fills `count` f32 with draws of mean 0 and standard deviation `sd`, a function of `key` and the position alone.
 * The sum of four uniforms (Irwin-Hall) from one SplitMix64 output each (Steele 2014); it stays within 3.5 sd.
 */
export function fillNormal(at: usize, count: u32, key: u64, sd: f32): void {
  const scale: f64 = <f64>sd * sqrt<f64>(3.0) / 65536.0;
  for (let i: u32 = 0; i < count; i++) {
    let z = key + <u64>(i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    const sum = (z & 0xffff) + ((z >> 16) & 0xffff) + ((z >> 32) & 0xffff) + (z >> 48);
    store<f32>(at + ((<usize>i) << 2), <f32>((<f64>sum - 131070.0) * scale));
  }
}

// @ts-ignore: decorator
@inline
function below(scoreA: f32, rowA: u32, scoreB: f32, rowB: u32): bool {
  return scoreA < scoreB || (scoreA == scoreB && rowA > rowB);
}

/** Moves the entry at `hole` of the heap of `size` down to its place. A heap entry is (f32 score, u32 row), worst on top. */
function sift(heap: usize, size: u32, hole: u32, score: f32, row: u32): void {
  for (;;) {
    let child: u32 = 2 * hole + 1;
    if (child >= size) break;
    let at: usize = heap + ((<usize>child) << 3);
    if (child + 1 < size && below(load<f32>(at, 8), load<u32>(at, 12), load<f32>(at), load<u32>(at, 4))) {
      child++;
      at += 8;
    }
    if (!below(load<f32>(at), load<u32>(at, 4), score, row)) break;
    store<u64>(heap + ((<usize>hole) << 3), load<u64>(at));
    hole = child;
  }
  store<f32>(heap + ((<usize>hole) << 3), score);
  store<u32>(heap + ((<usize>hole) << 3), row, 4);
}

/**
 * The `k` best of `count` f32 scores, to `out` as (f32 score, u32 position), best first; equal scores in the order of
 * position. -Infinity and NaN are left out. Returns how many there are.
 */
export function topK(scores: usize, count: u32, k: u32, out: usize): u32 {
  let size: u32 = 0;
  let i: u32 = 0;
  for (; i < count && size < k; i++) {
    const score = load<f32>(scores + ((<usize>i) << 2));
    if (!(score > -Infinity)) continue;
    store<f32>(out + ((<usize>size) << 3), score);
    store<u32>(out + ((<usize>size) << 3), i, 4);
    size++;
  }
  for (let parent: i32 = (<i32>size >> 1) - 1; parent >= 0; parent--) {
    const at = out + ((<usize>parent) << 3);
    sift(out, size, parent, load<f32>(at), load<u32>(at, 4));
  }
  if (size == k && k > 0) {
    let worst = load<f32>(out);
    while (i < count) {
      if (i + 8 <= count) {
        const at = scores + ((<usize>i) << 2);
        const limit = f32x4.splat(worst);
        const hits = v128.or(f32x4.gt(v128.load(at), limit), f32x4.gt(v128.load(at, 16), limit));
        if (!v128.any_true(hits)) {
          i += 8;
          continue;
        }
      }
      const last = min<u32>(i + 8, count);
      for (; i < last; i++) {
        const score = load<f32>(scores + ((<usize>i) << 2));
        if (score > worst) {
          sift(out, k, 0, score, i);
          worst = load<f32>(out);
        }
      }
    }
  }
  for (let left = size; left > 1; left--) {
    const last = out + ((<usize>(left - 1)) << 3);
    const score = load<f32>(last);
    const row = load<u32>(last, 4);
    store<u64>(last, load<u64>(out));
    sift(out, left - 1, 0, score, row);
  }
  return size;
}

/**
 * How many of `count` f32 scores stand before position `position`: larger ones, and equal ones at lower positions.
 * What `topK` leaves out stands behind all: `count`.
 */
export function rankOf(scores: usize, count: u32, position: u32): u32 {
  const score = load<f32>(scores + ((<usize>position) << 2));
  if (!(score > -Infinity)) return count;
  let better: u32 = 0;
  for (let i: u32 = 0; i < position; i++) better += u32(load<f32>(scores + ((<usize>i) << 2)) >= score);
  for (let i: u32 = position + 1; i < count; i++) better += u32(load<f32>(scores + ((<usize>i) << 2)) > score);
  return better;
}

/**
 * Sets -Infinity for each of `count` f32 scores whose row may not be recommended at time `now`. Rows lie `stride` bytes
 * apart: (f64 from, f64 until, u32 marks); marks are those of `availability.ts`: 2 deleted, 4 unavailable, 8 timed.
 */
export function excludeUnavailable(scores: usize, rows: usize, stride: usize, count: u32, now: f64): void {
  for (let i: u32 = 0; i < count; i++, scores += 4, rows += stride) {
    const marks = load<u32>(rows, 16);
    if ((marks & 14) == 0) continue;
    if ((marks & 6) != 0 || now < load<f64>(rows) || now >= load<f64>(rows, 8)) store<f32>(scores, -Infinity);
  }
}

/** Sets -Infinity for each of `count` f32 scores whose bit in `mask` is 0; score n has bit n % 32 of u32 n/32. */
export function applyMask(scores: usize, mask: usize, count: u32): void {
  for (let first: u32 = 0; first < count; first += 32, mask += 4) {
    const size = min<u32>(32, count - first);
    let zeros: u32 = ~load<u32>(mask) & (0xffffffff >> (32 - size));
    const at = scores + ((<usize>first) << 2);
    for (; zeros != 0; zeros &= zeros - 1) store<f32>(at + ((<usize>ctz<u32>(zeros)) << 2), -Infinity);
  }
}

/**
 * The dot product of two vectors of `width` f32, in four sums: element f is in sum f % 4, those after the last whole four
 * in sum 0; the result is (s0 + s2) + (s1 + s3).
 */
export function dot(a: usize, b: usize, width: u32): f32 {
  let sums = f32x4.splat(0);
  const end: usize = a + ((<usize>width) << 2);
  for (; a + 16 <= end; a += 16, b += 16) sums = f32x4.add(sums, f32x4.mul(v128.load(a), v128.load(b)));
  for (; a < end; a += 4, b += 4) sums = f32x4.add(sums, f32x4.mul(v128.load32_zero(a), v128.load32_zero(b)));
  const left = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 2);
  const right = f32x4.extract_lane(sums, 1) + f32x4.extract_lane(sums, 3);
  return left + right;
}

/** Writes a vector of `width` f32 to `out`, divided by its length; zeros where that is 0. */
export function normalize(vector: usize, width: u32, out: usize): void {
  const length = sqrt<f32>(dot(vector, vector, width));
  const scale: f32 = length > 0 ? 1 / length : 0;
  const end: usize = vector + ((<usize>width) << 2);
  for (; vector < end; vector += 4, out += 4) store<f32>(out, load<f32>(vector) * scale);
}

/** Raises each of `count` f32 at `maxima` to the dot product of a vector with one of `count` that lie in a row. */
export function raiseToDots(vector: usize, vectors: usize, width: u32, count: u32, maxima: usize): void {
  const bytes: usize = (<usize>width) << 2;
  for (let n: u32 = 0; n < count; n++, vectors += bytes, maxima += 4) {
    store<f32>(maxima, max<f32>(load<f32>(maxima), dot(vector, vectors, width)));
  }
}

// The next three take the rows whose u32 block addresses lie `stride` bytes apart from `places` on, and set bit n % 32 of
// u32 n/32 at `out` for each row n that they are looking for; other bits stay. Blocks are laid out as in
// `feature-blocks.ts`: u32 bytes of the message, numbers, terms, 0; numbers of 16 bytes (f64 value, u32 field); u32 terms.

// @ts-ignore: decorator
@inline
function numbersEnd(block: usize): usize {
  return block + 16 + ((<usize>load<u32>(block, 4)) << 4);
}

// @ts-ignore: decorator
@inline
function termsEnd(block: usize): usize {
  return numbersEnd(block) + ((<usize>load<u32>(block, 8)) << 2);
}

// @ts-ignore: decorator
@inline
function addBits(out: usize, bits: u32): void {
  store<u32>(out, load<u32>(out) | bits);
}

/** Rows that have `term`. */
export function markTerm(places: usize, stride: usize, count: u32, term: u32, out: usize): void {
  for (let first: u32 = 0; first < count; first += 32, out += 4) {
    let bits: u32 = 0;
    const size = min<u32>(32, count - first);
    for (let n: u32 = 0; n < size; n++, places += stride) {
      const block: usize = load<u32>(places);
      const end = termsEnd(block);
      for (let at = numbersEnd(block); at < end; at += 4) bits |= u32(load<u32>(at) == term) << n;
    }
    addBits(out, bits);
  }
}

/** Rows that have a term of a set of terms 0 .. terms - 1: bit t % 32 of u32 t/32 at `set`. */
export function markTerms(places: usize, stride: usize, count: u32, set: usize, terms: u32, out: usize): void {
  for (let first: u32 = 0; first < count; first += 32, out += 4) {
    let bits: u32 = 0;
    const size = min<u32>(32, count - first);
    for (let n: u32 = 0; n < size; n++, places += stride) {
      const block: usize = load<u32>(places);
      const end = termsEnd(block);
      for (let at = numbersEnd(block); at < end; at += 4) {
        const term = load<u32>(at);
        if (term < terms) bits |= ((load<u32>(set + ((<usize>(term >> 5)) << 2)) >> (term & 31)) & 1) << n;
      }
    }
    addBits(out, bits);
  }
}

/** Rows that have a number in `field` that is below `bound` (`orders` has 1), equal to it (2) or above it (4). */
export function markNumber(
  places: usize,
  stride: usize,
  count: u32,
  field: u32,
  orders: u32,
  bound: f64,
  out: usize,
): void {
  for (let first: u32 = 0; first < count; first += 32, out += 4) {
    let bits: u32 = 0;
    const size = min<u32>(32, count - first);
    for (let n: u32 = 0; n < size; n++, places += stride) {
      const block: usize = load<u32>(places);
      const end = numbersEnd(block);
      for (let at = block + 16; at < end; at += 16) {
        if (load<u32>(at, 8) != field) continue;
        const value = load<f64>(at);
        const order = u32(value < bound) | (u32(value == bound) << 1) | (u32(value > bound) << 2);
        bits |= u32((order & orders) != 0) << n;
      }
    }
    addBits(out, bits);
  }
}
