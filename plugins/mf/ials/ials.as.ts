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

/** S += weight v v'; `half`: of its lower half alone. */
export function addOuter(gram: usize, v: usize, k: u32, weight: f64, half: bool): void {
  for (let f: u32 = 0; f < k; f++) {
    const row = gram + <usize>f * (<usize>k << 3);
    const factor = f64x2.splat(weight * <f64>load<f32>(v + (<usize>f << 2)));
    const end = half ? f + 1 : k;
    let g: u32 = 0;
    for (; g + 2 <= end; g += 2) {
      const to = row + (<usize>g << 3);
      const pair = f64x2.promote_low_f32x4(v128.load64_zero(v + (<usize>g << 2)));
      v128.store(to, f64x2.add(v128.load(to), f64x2.mul(factor, pair)));
    }
    if (g < end) {
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

/** A = c S + l2 I, its lower half. */
export function ridge(matrix: usize, gram: usize, k: u32, c: f64, l2: f64): void {
  for (let f: u32 = 0; f < k; f++) {
    const row = <usize>f * (<usize>k << 3);
    const diagonal = row + (<usize>f << 3);
    for (let at = row; at <= diagonal; at += 8) store<f64>(matrix + at, c * load<f64>(gram + at));
    store<f64>(matrix + diagonal, load<f64>(matrix + diagonal) + l2);
  }
}
