// The kernels of `mf` over the shared memory. Addresses are bytes, unsigned; p, q and every row are k f32. Strict SIMD
// in an order of its own, to the bit that of `kernels.reference.ts`. No static data.
//
//   lanes     element f of a dot product is in vector f/4; vectors 0, 2, 4… are summed in a and 1, 3, 5… in b; what is
//             left over (k % 4) goes to lane 0 of a; the sum of s = a + b is (s0 + s2) + (s1 + s3)
//   g         = error other - l2 row: downhill on (error² + l2 |row|²)/2, for error = r - r^
//   sgd       row += rate g                                                       (Robbins & Monro 1951)
//   sgdBoth   p += rate g(p, q);  q += rate g(q, p), from where both were
//   momentum  last = mu last + rate g;  row += last                               (heavy ball, Polyak 1964)
//   adagrad   squares += g²;  row += rate g / (sqrt(squares) + EPSILON)           (Duchi, Hazan & Singer 2011)
//   adam      mean += (1 - beta1)(g - mean);  squares += (1 - beta2)(g² - squares)
//             row += rate mean / (sqrt(squares fix2) + EPSILON)                   (Kingma & Ba 2015)
//   sigmoids  x_n = 1/(1 + e^-(x_n + offset))
//   contrast  x_n = b_n + <s, q_n>;  e_n = [n is the last] - softmax(x)_n;  gradient = sum_n e_n q_n, from the first on

export * from './ials/ials.as';

const EPSILON: f32 = 1e-6;

/** <p, q> */
export function dot(p: usize, q: usize, k: u32): f32 {
  let a = f32x4.splat(0);
  let b = a;
  const end = p + bytesOf(k);
  for (; p + 32 <= end; p += 32, q += 32) {
    a = add(a, v128.load(p), v128.load(q));
    b = add(b, v128.load(p, 16), v128.load(q, 16));
  }
  for (; p + 16 <= end; p += 16, q += 16) a = add(a, v128.load(p), v128.load(q));
  for (; p < end; p += 4, q += 4) a = add(a, v128.load32_zero(p), v128.load32_zero(q));
  return sum(a, b);
}

/** out = <p, q>, <p, p>, <q, q>, each to the bit as `dot` gives it. */
export function gram(p: usize, q: usize, k: u32, out: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  const end = p + bytesOf(k);
  for (; p + 32 <= end; p += 32, q += 32) {
    const x = v128.load(p);
    const y = v128.load(q);
    a0 = add(a0, x, y);
    a1 = add(a1, x, x);
    a2 = add(a2, y, y);
    const v = v128.load(p, 16);
    const w = v128.load(q, 16);
    b0 = add(b0, v, w);
    b1 = add(b1, v, v);
    b2 = add(b2, w, w);
  }
  for (; p < end; ) {
    const whole = p + 16 <= end;
    const x = load4(p, whole);
    const y = load4(q, whole);
    a0 = add(a0, x, y);
    a1 = add(a1, x, x);
    a2 = add(a2, y, y);
    const bytes: usize = whole ? 16 : 4;
    p += bytes;
    q += bytes;
  }
  store<f32>(out, sum(a0, b0));
  store<f32>(out, sum(a1, b1), 4);
  store<f32>(out, sum(a2, b2), 8);
}

/** out[i] = <p, q_i> + rank_i for `count` items, whose rows lie `stride` bytes apart. */
export function scores(p: usize, q: usize, rank: usize, stride: usize, k: u32, count: u32, out: usize): void {
  products(p, q, rank, stride, k, count, out, false);
}

/** out[i] = <p, q_i> scale_i, likewise. */
export function scaledScores(p: usize, q: usize, scale: usize, stride: usize, k: u32, count: u32, out: usize): void {
  products(p, q, scale, stride, k, count, out, true);
}

/** <p, q_i> + x_i, or times x_i. Four rows at a time share what is loaded of p. */
// @ts-ignore: decorator
@inline
function products(
  p: usize,
  q: usize,
  x: usize,
  stride: usize,
  k: u32,
  count: u32,
  out: usize,
  times: bool,
): void {
  const bytes = bytesOf(k);
  let left = count;
  for (; left >= 4; left -= 4) {
    const q1 = q + stride;
    const q2 = q1 + stride;
    const q3 = q2 + stride;
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let f: usize = 0;
    for (; f + 32 <= bytes; f += 32) {
      const even = v128.load(p + f);
      a0 = add(a0, even, v128.load(q + f));
      a1 = add(a1, even, v128.load(q1 + f));
      a2 = add(a2, even, v128.load(q2 + f));
      a3 = add(a3, even, v128.load(q3 + f));
      const odd = v128.load(p + f, 16);
      b0 = add(b0, odd, v128.load(q + f, 16));
      b1 = add(b1, odd, v128.load(q1 + f, 16));
      b2 = add(b2, odd, v128.load(q2 + f, 16));
      b3 = add(b3, odd, v128.load(q3 + f, 16));
    }
    if (f + 16 <= bytes) {
      const even = v128.load(p + f);
      a0 = add(a0, even, v128.load(q + f));
      a1 = add(a1, even, v128.load(q1 + f));
      a2 = add(a2, even, v128.load(q2 + f));
      a3 = add(a3, even, v128.load(q3 + f));
      f += 16;
    }
    for (; f < bytes; f += 4) {
      const even = v128.load32_zero(p + f);
      a0 = add(a0, even, v128.load32_zero(q + f));
      a1 = add(a1, even, v128.load32_zero(q1 + f));
      a2 = add(a2, even, v128.load32_zero(q2 + f));
      a3 = add(a3, even, v128.load32_zero(q3 + f));
    }
    const x2 = x + 2 * stride;
    store<f32>(out, joined(sum(a0, b0), load<f32>(x), times));
    store<f32>(out, joined(sum(a1, b1), load<f32>(x + stride), times), 4);
    store<f32>(out, joined(sum(a2, b2), load<f32>(x2), times), 8);
    store<f32>(out, joined(sum(a3, b3), load<f32>(x2 + stride), times), 12);
    q = q3 + stride;
    x = x2 + 2 * stride;
    out += 16;
  }
  for (; left > 0; left--) {
    store<f32>(out, joined(dot(p, q, k), load<f32>(x), times));
    q += stride;
    x += stride;
    out += 4;
  }
}

/** `count` numbers x, each in its place; the exponential function is that of `contrast`. */
export function sigmoids(x: usize, count: u32, offset: f64): void {
  const end = x + bytesOf(count);
  for (; x < end; x += 4) {
    const logit = <f64>load<f32>(x) + offset;
    const part = exp(logit < 0 ? logit : -logit);
    store<f32>(x, <f32>((logit < 0 ? part : 1) / (1 + part)));
  }
}

export function sgd(row: usize, other: usize, k: u32, rate: f32, error: f32, l2: f32): void {
  const end = row + bytesOf(k);
  for (; row + 16 <= end; row += 16, other += 16) sgdLanes(row, other, rate, error, l2, true);
  for (; row < end; row += 4, other += 4) sgdLanes(row, other, rate, error, l2, false);
}

/** One step of two rows that do not overlap. */
export function sgdBoth(p: usize, q: usize, k: u32, rate: f32, error: f32, l2: f32): void {
  const end = p + bytesOf(k);
  for (; p + 16 <= end; p += 16, q += 16) sgdBothLanes(p, q, rate, error, l2, true);
  for (; p < end; p += 4, q += 4) sgdBothLanes(p, q, rate, error, l2, false);
}

export function momentum(row: usize, other: usize, k: u32, rate: f32, error: f32, l2: f32, last: usize, mu: f32): void {
  const end = row + bytesOf(k);
  for (; row + 16 <= end; row += 16, other += 16, last += 16) {
    momentumLanes(row, other, rate, error, l2, last, mu, true);
  }
  for (; row < end; row += 4, other += 4, last += 4) momentumLanes(row, other, rate, error, l2, last, mu, false);
}

export function adagrad(row: usize, other: usize, k: u32, rate: f32, error: f32, l2: f32, squares: usize): void {
  const end = row + bytesOf(k);
  for (; row + 16 <= end; row += 16, other += 16, squares += 16) {
    adagradLanes(row, other, rate, error, l2, squares, true);
  }
  for (; row < end; row += 4, other += 4, squares += 4) adagradLanes(row, other, rate, error, l2, squares, false);
}

/** `rate` carries the correction of `mean`, 1/(1 - beta1^t), and `fix2` is 1/(1 - beta2^t), at step t of this row. */
export function adam(
  row: usize,
  other: usize,
  k: u32,
  rate: f32,
  error: f32,
  l2: f32,
  mean: usize,
  squares: usize,
  beta1: f32,
  beta2: f32,
  fix2: f32,
): void {
  const end = row + bytesOf(k);
  for (; row + 16 <= end; row += 16, other += 16, mean += 16, squares += 16) {
    adamLanes(row, other, rate, error, l2, mean, squares, beta1, beta2, fix2, true);
  }
  for (; row < end; row += 4, other += 4, mean += 4, squares += 4) {
    adamLanes(row, other, rate, error, l2, mean, squares, beta1, beta2, fix2, false);
  }
}

/**
 * `rows` holds the addresses of `count` rows q; `errors` holds their b, and is given e. What the exponential function is
 * given is rounded to f32, and so are its values; their sum is not.
 */
export function contrast(s: usize, rows: usize, k: u32, count: u32, errors: usize, gradient: usize): void {
  const end = (<usize>count) << 2;
  let most: f32 = -f32.MAX_VALUE;
  for (let at: usize = 0; at < end; at += 4) {
    const x = load<f32>(errors + at) + dot(s, load<u32>(rows + at), k);
    store<f32>(errors + at, x);
    most = max(most, x);
  }
  let total: f64 = 0;
  for (let at: usize = 0; at < end; at += 4) {
    const part = <f32>exp(<f64>(load<f32>(errors + at) - most));
    store<f32>(errors + at, part);
    total += <f64>part;
  }
  memory.fill(gradient, 0, bytesOf(k));
  for (let at: usize = 0; at < end; at += 4) {
    const chosen: f64 = at + 4 === end ? 1 : 0;
    const error = <f32>(chosen - <f64>load<f32>(errors + at) / total);
    store<f32>(errors + at, error);
    sgd(gradient, load<u32>(rows + at), k, error, 1, 0);
  }
}

/** e^x for x <= 0: 2^n e^r, |r| <= ln(2)/2, and the first eight terms of the series: off by less than an f32 rounds. */
function exp(x: f64): f64 {
  if (x < -700) return 0;
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * 0.6931471805599453;
  let sum: f64 = 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  return sum * reinterpret<f64>((<i64>n + 1023) << 52);
}

// One vector of each rule; not `whole`: one element.

// @ts-ignore: decorator
@inline
function sgdLanes(row: usize, other: usize, rate: f32, error: f32, l2: f32, whole: bool): void {
  const x = load4(row, whole);
  store4(row, add(x, f32x4.splat(rate), downhill(x, load4(other, whole), error, l2)), whole);
}

// @ts-ignore: decorator
@inline
function sgdBothLanes(p: usize, q: usize, rate: f32, error: f32, l2: f32, whole: bool): void {
  const x = load4(p, whole);
  const y = load4(q, whole);
  store4(p, add(x, f32x4.splat(rate), downhill(x, y, error, l2)), whole);
  store4(q, add(y, f32x4.splat(rate), downhill(y, x, error, l2)), whole);
}

// @ts-ignore: decorator
@inline
function momentumLanes(
  row: usize,
  other: usize,
  rate: f32,
  error: f32,
  l2: f32,
  last: usize,
  mu: f32,
  whole: bool,
): void {
  const x = load4(row, whole);
  const g = downhill(x, load4(other, whole), error, l2);
  const step = add(f32x4.mul(f32x4.splat(mu), load4(last, whole)), f32x4.splat(rate), g);
  store4(last, step, whole);
  store4(row, f32x4.add(x, step), whole);
}

// @ts-ignore: decorator
@inline
function adagradLanes(row: usize, other: usize, rate: f32, error: f32, l2: f32, squares: usize, whole: bool): void {
  const x = load4(row, whole);
  const g = downhill(x, load4(other, whole), error, l2);
  const s = add(load4(squares, whole), g, g);
  store4(squares, s, whole);
  store4(row, f32x4.add(x, scaled(rate, g, s)), whole);
}

// @ts-ignore: decorator
@inline
function adamLanes(
  row: usize,
  other: usize,
  rate: f32,
  error: f32,
  l2: f32,
  mean: usize,
  squares: usize,
  beta1: f32,
  beta2: f32,
  fix2: f32,
  whole: bool,
): void {
  const x = load4(row, whole);
  const g = downhill(x, load4(other, whole), error, l2);
  const m = toward(load4(mean, whole), g, 1 - beta1);
  const s = toward(load4(squares, whole), f32x4.mul(g, g), 1 - beta2);
  store4(mean, m, whole);
  store4(squares, s, whole);
  store4(row, f32x4.add(x, scaled(rate, m, f32x4.mul(s, f32x4.splat(fix2)))), whole);
}

// @ts-ignore: decorator
@inline
function bytesOf(k: u32): usize {
  return (<usize>k) << 2;
}

// @ts-ignore: decorator
@inline
function load4(at: usize, whole: bool): v128 {
  return whole ? v128.load(at) : v128.load32_zero(at);
}

// @ts-ignore: decorator
@inline
function store4(at: usize, lanes: v128, whole: bool): void {
  if (whole) v128.store(at, lanes);
  else v128.store32_lane(at, lanes, 0);
}

// @ts-ignore: decorator
@inline
function joined(product: f32, x: f32, times: bool): f32 {
  return times ? product * x : product + x;
}

/** a + x y, rounded twice. */
// @ts-ignore: decorator
@inline
function add(a: v128, x: v128, y: v128): v128 {
  return f32x4.add(a, f32x4.mul(x, y));
}

// @ts-ignore: decorator
@inline
function sum(a: v128, b: v128): f32 {
  const s = f32x4.add(a, b);
  const even = f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 2);
  const odd = f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 3);
  return even + odd;
}

// @ts-ignore: decorator
@inline
function downhill(row: v128, other: v128, error: f32, l2: f32): v128 {
  return f32x4.sub(f32x4.mul(f32x4.splat(error), other), f32x4.mul(f32x4.splat(l2), row));
}

/** rate g / (sqrt(squares) + EPSILON) */
// @ts-ignore: decorator
@inline
function scaled(rate: f32, g: v128, squares: v128): v128 {
  return f32x4.div(f32x4.mul(f32x4.splat(rate), g), f32x4.add(f32x4.sqrt(squares), f32x4.splat(EPSILON)));
}

/** a + part (b - a) */
// @ts-ignore: decorator
@inline
function toward(a: v128, b: v128, part: f32): v128 {
  return add(a, f32x4.splat(part), f32x4.sub(b, a));
}
