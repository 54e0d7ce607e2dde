// The kernels of `bandit` over the shared memory. Addresses are bytes, unsigned. Strict SIMD over items, two or four at a time,
// each to the bit as `kernels.reference.ts` has it. No static data.
//
//   counts    a = prior rate + earned        m = a/(prior + shown)        a' = max(SHAPE_MIN, a)
//   by item   score = m + alpha (q - m)      q = m max(0, 1 - 1/(9 a') + z/(3 sqrt(a')))³        (Wilson & Hilferty 1931)
//   by taste  score = m + w'v + reach d      d = sqrt(m²/a' + rate v' A^-1 v)        of a stranger w = 0, A = ridge I
//
// Rows of items lie `stride` bytes apart: at `vector` v (n f32), at `shown` and `earned` an f64 each. What is asked of a user
// lies at `taste`, in f64, e: n, or n + 1 where that is odd, with zeros in its place:
//
//   w'v of four items; v' A^-1 v of four; ridge, of a stranger, else 0; a gap; e times element a of four items; w, e numbers;
//   A^-1, two rows beside each other, column by column to the diagonal, what stands beside that doubled: e (e + 2)/2 numbers

/** Below this the quantiles of a gamma distribution are no longer what their formula says. */
const SHAPE_MIN: f64 = 0.05;

const SPREADS: usize = 32;
const RIDGE: usize = 64;
const VECTORS: usize = 80;

/** Scores `count` items by what exposures of each earn: f32 at `out`. Most items are like those before, and score alike. */
export function scoresByItem(
  shown: usize,
  earned: usize,
  stride: usize,
  count: u32,
  prior: f64,
  rate: f64,
  z: f64,
  alpha: f64,
  out: usize,
): void {
  let lastS = f64x2.splat(NaN);
  let lastE = lastS;
  let scores = lastS;
  for (let left = count; left > 0; left -= min<u32>(2, left)) {
    const second: usize = left > 1 ? stride : 0;
    const s = pair(shown, shown + second);
    const e = pair(earned, earned + second);
    if (v128.any_true(v128.or(f64x2.ne(s, lastS), f64x2.ne(e, lastE)))) {
      lastS = s;
      lastE = e;
      const a = shapesOf(e, prior, rate);
      const m = f64x2.div(a, f64x2.add(f64x2.splat(prior), s));
      const beyond = f64x2.sub(quantiles(m, atLeast(a), z), m);
      scores = f64x2.add(m, f64x2.mul(f64x2.splat(alpha), beyond));
    }
    write(scores, left, out);
    shown += 2 * stride;
    earned += 2 * stride;
    out += 8;
  }
}

/** Writes what is asked of a user to `taste`; 0 for `inverse`: of a stranger. */
export function ask(weights: usize, inverse: usize, ridge: f64, n: u32, taste: usize): void {
  const e = <usize>evened(n);
  const w = taste + VECTORS + 32 * e;
  memory.fill(taste, 0, VECTORS + 40 * e + 4 * e * (e + 2));
  if (inverse == 0) return store<f64>(taste, ridge, RIDGE);
  memory.copy(w, weights, (<usize>n) << 3);
  let to = w + 8 * e;
  for (let a: usize = 0; a < n; a++) {
    for (let b: usize = 0; b <= a; b++, inverse += 8)
      store<f64>(to + (b << 4), load<f64>(inverse) * (b < a ? <f64>2 : <f64>1));
    to += (a & 1) == 0 ? 8 : 16 * (a + 1) - 8;
  }
}

/** Scores `count` items for whom was asked last: f32 at `out`. */
export function scoresByTaste(
  vector: usize,
  shown: usize,
  earned: usize,
  stride: usize,
  count: u32,
  n: u32,
  taste: usize,
  prior: f64,
  rate: f64,
  reach: f64,
  out: usize,
): void {
  let lastS = f64x2.splat(NaN);
  let lastE = lastS;
  let m = lastS;
  let variance = lastS;
  let half: usize = 0;
  for (let left = count; left > 0; left -= min<u32>(2, left)) {
    const second: usize = left > 1 ? stride : 0;
    const s = pair(shown, shown + second);
    const e = pair(earned, earned + second);
    if (v128.any_true(v128.or(f64x2.ne(s, lastS), f64x2.ne(e, lastE)))) {
      lastS = s;
      lastE = e;
      const a = shapesOf(e, prior, rate);
      m = f64x2.div(a, f64x2.add(f64x2.splat(prior), s));
      variance = variancesOf(m, a);
    }
    if (half == 0) {
      lay(vector, stride, left, n, taste);
      weigh(n, taste);
      vector += 4 * stride;
    }
    const means = f64x2.add(m, v128.load(taste + half));
    const deviations = deviationsOf(variance, rate, v128.load(taste + half, SPREADS));
    write(f64x2.add(means, f64x2.mul(f64x2.splat(reach), deviations)), left, out);
    half ^= 16;
    shown += 2 * stride;
    earned += 2 * stride;
    out += 8;
  }
}

/** What is believed of the score of one item, for whom was asked last: its mean and d, f64 at `out`. */
export function believe(
  vector: usize,
  shown: usize,
  earned: usize,
  n: u32,
  taste: usize,
  prior: f64,
  rate: f64,
  out: usize,
): void {
  const a = shapesOf(pair(earned, earned), prior, rate);
  const m = f64x2.div(a, f64x2.add(f64x2.splat(prior), pair(shown, shown)));
  lay(vector, 0, 1, n, taste);
  weigh(n, taste);
  v128.store64_lane(out, f64x2.add(m, v128.load(taste)), 0);
  v128.store64_lane(out, deviationsOf(variancesOf(m, a), rate, v128.load(taste, SPREADS)), 0, 8);
}

// @ts-ignore: decorator
@inline
function evened(n: u32): u32 {
  return (n + 1) & ~1;
}

// @ts-ignore: decorator
@inline
function pair(first: usize, second: usize): v128 {
  return v128.load64_lane(second, v128.load64_zero(first), 1);
}

/** The scores of two items, or of the first one where one is left. */
// @ts-ignore: decorator
@inline
function write(scores: v128, left: u32, out: usize): void {
  const rounded = f32x4.demote_f64x2_zero(scores);
  if (left > 1) v128.store64_lane(out, rounded, 0);
  else v128.store32_lane(out, rounded, 0);
}

/** a */
// @ts-ignore: decorator
@inline
function shapesOf(earned: v128, prior: f64, rate: f64): v128 {
  return f64x2.add(f64x2.splat(prior * rate), earned);
}

/** a' */
// @ts-ignore: decorator
@inline
function atLeast(a: v128): v128 {
  return f64x2.max(f64x2.splat(SHAPE_MIN), a);
}

/** m²/a' */
// @ts-ignore: decorator
@inline
function variancesOf(m: v128, a: v128): v128 {
  return f64x2.div(f64x2.mul(m, m), atLeast(a));
}

// @ts-ignore: decorator
@inline
function deviationsOf(variance: v128, rate: f64, spread: v128): v128 {
  return f64x2.sqrt(f64x2.add(variance, f64x2.mul(f64x2.splat(rate), spread)));
}

// @ts-ignore: decorator
@inline
function quantiles(m: v128, shape: v128, z: f64): v128 {
  const one = f64x2.splat(1);
  const less = f64x2.sub(one, f64x2.div(one, f64x2.mul(f64x2.splat(9), shape)));
  const root = f64x2.add(less, f64x2.div(f64x2.splat(z), f64x2.mul(f64x2.splat(3), f64x2.sqrt(shape))));
  const cube = f64x2.mul(f64x2.mul(f64x2.mul(m, root), root), root);
  return v128.and(cube, f64x2.gt(root, f64x2.splat(0)));
}

/** The vectors of four items beside each other, element by element; of fewer the last one again. */
function lay(vector: usize, stride: usize, left: u32, n: u32, taste: usize): void {
  const v1 = vector + (left > 1 ? stride : 0);
  const v2 = v1 + (left > 2 ? stride : 0);
  const v3 = v2 + (left > 3 ? stride : 0);
  const bytes = (<usize>n) << 2;
  for (let f: usize = 0, to = taste + VECTORS; f < bytes; f += 4, to += 32) {
    v128.store(to, f64x2.promote_low_f32x4(v128.load32_lane(v1 + f, v128.load32_zero(vector + f), 1)));
    v128.store(to, f64x2.promote_low_f32x4(v128.load32_lane(v3 + f, v128.load32_zero(v2 + f), 1)), 16);
  }
}

/** w'v and v' A^-1 v of the four items that were laid out. Two rows of A^-1 at a time share what is loaded of v. */
function weigh(n: u32, taste: usize): void {
  if (load<f64>(taste, RIDGE) != 0) return weighForStranger(n, taste);
  const v = taste + VECTORS;
  const w = v + 32 * <usize>evened(n);
  let liked0 = f64x2.splat(0);
  let liked1 = liked0;
  let spread0 = liked0;
  let spread1 = liked0;
  let inverse = w + 8 * <usize>evened(n);
  for (let row = v, weight = w; row < w; row += 64, weight += 16) {
    let even0 = f64x2.splat(0);
    let even1 = even0;
    let odd0 = even0;
    let odd1 = even0;
    for (let column = v; column < row + 64; column += 32, inverse += 16) {
      const v0 = v128.load(column);
      const v1 = v128.load(column, 16);
      const even = v128.load64_splat(inverse);
      const odd = v128.load64_splat(inverse, 8);
      even0 = f64x2.add(even0, f64x2.mul(even, v0));
      even1 = f64x2.add(even1, f64x2.mul(even, v1));
      odd0 = f64x2.add(odd0, f64x2.mul(odd, v0));
      odd1 = f64x2.add(odd1, f64x2.mul(odd, v1));
    }
    const even = v128.load64_splat(weight);
    const odd = v128.load64_splat(weight, 8);
    liked0 = f64x2.add(liked0, f64x2.mul(even, v128.load(row)));
    liked1 = f64x2.add(liked1, f64x2.mul(even, v128.load(row, 16)));
    liked0 = f64x2.add(liked0, f64x2.mul(odd, v128.load(row, 32)));
    liked1 = f64x2.add(liked1, f64x2.mul(odd, v128.load(row, 48)));
    spread0 = f64x2.add(spread0, f64x2.mul(even0, v128.load(row)));
    spread1 = f64x2.add(spread1, f64x2.mul(even1, v128.load(row, 16)));
    spread0 = f64x2.add(spread0, f64x2.mul(odd0, v128.load(row, 32)));
    spread1 = f64x2.add(spread1, f64x2.mul(odd1, v128.load(row, 48)));
  }
  v128.store(taste, liked0);
  v128.store(taste, liked1, 16);
  v128.store(taste, f64x2.max(f64x2.splat(0), spread0), SPREADS);
  v128.store(taste, f64x2.max(f64x2.splat(0), spread1), SPREADS + 16);
}

/** v'v/ridge; what they like stays 0. */
function weighForStranger(n: u32, taste: usize): void {
  const ridge = v128.load64_splat(taste, RIDGE);
  let spread0 = f64x2.splat(0);
  let spread1 = spread0;
  for (let at = taste + VECTORS, end = at + 32 * <usize>n; at < end; at += 32) {
    const v0 = v128.load(at);
    const v1 = v128.load(at, 16);
    spread0 = f64x2.add(spread0, f64x2.mul(v0, f64x2.div(v0, ridge)));
    spread1 = f64x2.add(spread1, f64x2.mul(v1, f64x2.div(v1, ridge)));
  }
  v128.store(taste, spread0, SPREADS);
  v128.store(taste, spread1, SPREADS + 16);
}
