// The kernels of the whole-matrix objective. Vectors are k f32; S is k rows of k f64.
// Sums over positives are of f32 in four lanes, what S takes part in is f64, in the order of `reference.ts`.

/** Coordinates stay within this. */
const BOX: f64 = 10;

/** columns[f][n] = q_n[f] of the `count` vectors at `vectors` (u32 each), `stride` numbers from f to f; 0 behind `count`. */
export function gather(vectors: usize, count: u32, stride: u32, k: u32, columns: usize): void {
  const bytes = <usize>stride << 2;
  for (let n: u32 = 0; n < stride; n += 4) {
    const places = columns + (<usize>n << 2);
    const q0 = n < count ? <usize>load<u32>(vectors + (<usize>n << 2)) : 0;
    const q1 = n + 1 < count ? <usize>load<u32>(vectors + (<usize>(n + 1) << 2)) : 0;
    const q2 = n + 2 < count ? <usize>load<u32>(vectors + (<usize>(n + 2) << 2)) : 0;
    const q3 = n + 3 < count ? <usize>load<u32>(vectors + (<usize>(n + 3) << 2)) : 0;
    let to = places;
    let f: usize = 0;
    const end = <usize>k << 2;
    for (; f + 16 <= end; f += 16) {
      const a = take4(q0, f);
      const b = take4(q1, f);
      const c = take4(q2, f);
      const d = take4(q3, f);
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
      to += bytes;
      v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3));
      to += bytes;
      const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(ab2, cd2, 0, 2));
      to += bytes;
      v128.store(to, v128.shuffle<i64>(ab2, cd2, 1, 3));
      to += bytes;
    }
    for (; f < end; f += 4) {
      store<f32>(to, take1(q0, f));
      store<f32>(to, take1(q1, f), 4);
      store<f32>(to, take1(q2, f), 8);
      store<f32>(to, take1(q3, f), 12);
      to += bytes;
    }
  }
}

/** products[n] = <p, q_n>, of what `gather` left. */
export function expectAll(p: usize, k: u32, columns: usize, stride: u32, products: usize): void {
  const bytes = <usize>stride << 2;
  for (let n: usize = 0; n < bytes; n += 16) {
    let sum = f32x4.splat(0);
    let at = columns + n;
    for (let f: usize = 0; f < <usize>k << 2; f += 4, at += bytes) {
      sum = f32x4.add(sum, f32x4.mul(f32x4.splat(load<f32>(p + f)), v128.load(at)));
    }
    v128.store(products + n, sum);
  }
}

/**
 * One pass over the coordinates of p, each set to what minimises
 *
 *     sum_n w_n (1 - <p, q_n>)²  +  c p' S p  +  l2 |p|²
 *
 * within the box, the others as they are. `products` are kept in step; S p is made anew for every coordinate.
 */
export function descend(
  p: usize,
  k: u32,
  columns: usize,
  stride: u32,
  weights: usize,
  products: usize,
  gram: usize,
  c: f64,
  l2: f64,
): void {
  const bytes = <usize>stride << 2;
  const one = f32x4.splat(1);
  for (let f: u32 = 0; f < k; f++) {
    const column = columns + <usize>f * bytes;
    const at = p + (<usize>f << 2);
    const old = load<f32>(at);
    const own = f32x4.splat(old);
    let up = f32x4.splat(0);
    let curve = up;
    for (let n: usize = 0; n < bytes; n += 16) {
      const q = v128.load(column + n);
      const weighed = f32x4.mul(v128.load(weights + n), q);
      // What <p, q> is without this coordinate.
      const rest = f32x4.sub(v128.load(products + n), f32x4.mul(own, q));
      up = f32x4.add(up, f32x4.mul(weighed, f32x4.sub(one, rest)));
      curve = f32x4.add(curve, f32x4.mul(weighed, q));
    }
    const row = gram + <usize>f * (<usize>k << 3);
    const self = load<f64>(row + (<usize>f << 3));
    const others = along(row, p, k) - self * <f64>old;
    // Of nothing but rows that went again, rounding may leave S a little below 0.
    const steep = max<f64>(l2, <f64>total(curve) + c * self + l2);
    const best = <f32>max<f64>(-BOX, min<f64>(BOX, (<f64>total(up) - c * others) / steep));
    store<f32>(at, best);
    const step = f32x4.splat(best - old);
    for (let n: usize = 0; n < bytes; n += 16) {
      v128.store(
        products + n,
        f32x4.add(v128.load(products + n), f32x4.mul(step, v128.load(column + n))),
      );
    }
  }
}

/** S += weight v v' */
export function addOuter(gram: usize, v: usize, k: u32, weight: f64): void {
  for (let f: u32 = 0; f < k; f++) {
    const row = gram + <usize>f * (<usize>k << 3);
    const factor = f64x2.splat(weight * <f64>load<f32>(v + (<usize>f << 2)));
    let g: u32 = 0;
    for (; g + 2 <= k; g += 2) {
      const to = row + (<usize>g << 3);
      const pair = f64x2.promote_low_f32x4(v128.load64_zero(v + (<usize>g << 2)));
      v128.store(to, f64x2.add(v128.load(to), f64x2.mul(factor, pair)));
    }
    if (g < k) {
      const to = row + (<usize>g << 3);
      store<f64>(to, load<f64>(to) + f64x2.extract_lane(factor, 0) * <f64>load<f32>(v + (<usize>g << 2)));
    }
  }
}

/** <row, p>, row of f64. */
function along(row: usize, p: usize, k: u32): f64 {
  let sum = f64x2.splat(0);
  let g: u32 = 0;
  for (; g + 2 <= k; g += 2) {
    const pair = f64x2.promote_low_f32x4(v128.load64_zero(p + (<usize>g << 2)));
    sum = f64x2.add(sum, f64x2.mul(v128.load(row + (<usize>g << 3)), pair));
  }
  let rest: f64 = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (g < k) rest += load<f64>(row + (<usize>g << 3)) * <f64>load<f32>(p + (<usize>g << 2));
  return rest;
}

// @ts-ignore: decorator
@inline
function take4(vector: usize, f: usize): v128 {
  return vector === 0 ? f32x4.splat(0) : v128.load(vector + f);
}

// @ts-ignore: decorator
@inline
function take1(vector: usize, f: usize): f32 {
  return vector === 0 ? 0 : load<f32>(vector + f);
}

// @ts-ignore: decorator
@inline
function total(lanes: v128): f32 {
  const even = f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 2);
  const odd = f32x4.extract_lane(lanes, 1) + f32x4.extract_lane(lanes, 3);
  return even + odd;
}

/** A = c S + l2 I, its lower half, and b = 0. */
export function ridge(matrix: usize, b: usize, gram: usize, k: u32, c: f64, l2: f64): void {
  memory.fill(b, 0, <usize>k << 3);
  for (let f: u32 = 0; f < k; f++) {
    const row = <usize>f * (<usize>k << 3);
    const diagonal = row + (<usize>f << 3);
    for (let at = row; at <= diagonal; at += 8) store<f64>(matrix + at, c * load<f64>(gram + at));
    store<f64>(matrix + diagonal, load<f64>(matrix + diagonal) + l2);
  }
}

/** Puts a vector's address and its weight at place n of what `addAll` is to add. */
export function list(vectors: usize, weights: usize, n: u32, vector: usize, weight: f64): void {
  store<u32>(vectors + (<usize>n << 2), <u32>vector);
  store<f64>(weights + (<usize>n << 3), weight);
}

/** Vectors that are added at a time: a row of A is read and written once for all of them. */
const BLOCK: u32 = 4;

/**
 * A += sum_n w_n v_n v_n', its lower half, and b += sum_n w_n v_n, k f64, of the `count` vectors at `vectors` (u32 each) with
 * `weights` (f64 each). `block`: room for four vectors of f64.
 */
export function addAll(
  matrix: usize,
  b: usize,
  vectors: usize,
  weights: usize,
  count: u32,
  k: u32,
  block: usize,
): void {
  const bytes = <usize>k << 3;
  for (let n: u32 = 0; n < count; n += BLOCK) {
    for (let m: u32 = 0; m < BLOCK; m++) {
      const to = block + m * bytes;
      if (n + m < count) widen(<usize>load<u32>(vectors + (<usize>(n + m) << 2)), k, to);
      else memory.fill(to, 0, bytes);
    }
    const from = weights + (<usize>n << 3);
    const w0 = load<f64>(from);
    const w1 = n + 1 < count ? load<f64>(from, 8) : 0;
    const w2 = n + 2 < count ? load<f64>(from, 16) : 0;
    const w3 = n + 3 < count ? load<f64>(from, 24) : 0;
    for (let f: u32 = 0; f < k; f++) {
      const row = matrix + f * bytes;
      const at = block + (<usize>f << 3);
      const a0 = w0 * load<f64>(at);
      const a1 = w1 * load<f64>(at + bytes);
      const a2 = w2 * load<f64>(at + 2 * bytes);
      const a3 = w3 * load<f64>(at + 3 * bytes);
      const own = b + (<usize>f << 3);
      store<f64>(own, load<f64>(own) + (a0 + a1 + (a2 + a3)));
      const p0 = f64x2.splat(a0);
      const p1 = f64x2.splat(a1);
      const p2 = f64x2.splat(a2);
      const p3 = f64x2.splat(a3);
      const end = row + (<usize>(f + 1) << 3);
      let to = row;
      let v = block;
      for (; to + 16 <= end; to += 16, v += 16) {
        const one = f64x2.add(f64x2.mul(p0, v128.load(v)), f64x2.mul(p1, v128.load(v + bytes)));
        const other = f64x2.add(f64x2.mul(p2, v128.load(v + 2 * bytes)), f64x2.mul(p3, v128.load(v + 3 * bytes)));
        v128.store(to, f64x2.add(v128.load(to), f64x2.add(one, other)));
      }
      if (to < end) {
        const one = a0 * load<f64>(v) + a1 * load<f64>(v + bytes);
        const other = a2 * load<f64>(v + 2 * bytes) + a3 * load<f64>(v + 3 * bytes);
        store<f64>(to, load<f64>(to) + (one + other));
      }
    }
  }
}

/**
 * A = L L': overwrites A's lower half with L (Cholesky). `least` is no more than any eigenvalue, so that numbers which do not
 * quite fit together, since they are being written, cannot make a pivot smaller.
 */
export function factorise(matrix: usize, k: u32, least: f64): void {
  const bytes = <usize>k << 3;
  for (let f: u32 = 0; f < k; f++) {
    const row = matrix + f * bytes;
    for (let g: u32 = 0; g < f; g++) {
      const other = matrix + g * bytes;
      const at = row + (<usize>g << 3);
      store<f64>(at, (load<f64>(at) - product(row, other, g)) / load<f64>(other + (<usize>g << 3)));
    }
    const at = row + (<usize>f << 3);
    store<f64>(at, sqrt<f64>(max<f64>(least, load<f64>(at) - product(row, row, f))));
  }
}

/** Overwrites b with the x of L L' x = b. */
export function substitute(factor: usize, k: u32, b: usize): void {
  const bytes = <usize>k << 3;
  for (let f: u32 = 0; f < k; f++) {
    const row = factor + f * bytes;
    const at = b + (<usize>f << 3);
    store<f64>(at, (load<f64>(at) - product(row, b, f)) / load<f64>(row + (<usize>f << 3)));
  }
  for (let f = k; f > 0; f--) {
    const row = factor + (f - 1) * bytes;
    const at = b + (<usize>(f - 1) << 3);
    const x = load<f64>(at) / load<f64>(row + (<usize>(f - 1) << 3));
    store<f64>(at, x);
    const step = f64x2.splat(x);
    let to = b;
    let from = row;
    for (; to + 16 <= at; to += 16, from += 16)
      v128.store(to, f64x2.sub(v128.load(to), f64x2.mul(step, v128.load(from))));
    if (to < at) store<f64>(to, load<f64>(to) - x * load<f64>(from));
  }
}

/** Of the first `count` numbers of two rows of f64; pairs 0, 2, 4… are summed in a and 1, 3, 5… in b. */
// @ts-ignore: decorator
@inline
function product(p: usize, q: usize, count: u32): f64 {
  const end = p + (<usize>count << 3);
  let a = f64x2.splat(0);
  let b = a;
  for (; p + 32 <= end; p += 32, q += 32) {
    a = f64x2.add(a, f64x2.mul(v128.load(p), v128.load(q)));
    b = f64x2.add(b, f64x2.mul(v128.load(p, 16), v128.load(q, 16)));
  }
  if (p + 16 <= end) {
    a = f64x2.add(a, f64x2.mul(v128.load(p), v128.load(q)));
    p += 16;
    q += 16;
  }
  const sum = f64x2.add(a, b);
  let all: f64 = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (p < end) all += load<f64>(p) * load<f64>(q);
  return all;
}

/** k f32 as f64. */
export function widen(vector: usize, k: u32, to: usize): void {
  const end = vector + (<usize>k << 2);
  for (; vector + 8 <= end; vector += 8, to += 16)
    v128.store(to, f64x2.promote_low_f32x4(v128.load64_zero(vector)));
  if (vector < end) store<f64>(to, <f64>load<f32>(vector));
}
