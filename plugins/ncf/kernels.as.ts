// The kernels of `ncf` over the shared memory. Addresses are bytes, unsigned; vectors are f32, and all lengths but ranks are
// multiples of 4. Strict SIMD in an order of its own, to the bit that of `kernels.reference.ts`. No static data.
//
//   lanes     element f of a dot product is in vector f/4; vectors 0, 2, 4… are summed in a and 1, 3, 5… in b; the sum of
//             s = a + b is (s0 + s2) + (s1 + s3)
//   products  pq = p q;  wq = q + v q;  wp = p + v p, element by element
//   layer     y = b + sum_i W_i x_i + sum_j A_j t_j,  t_j = <B_j, x>;  y = 0 where it is not above 0
//   back      z = keep dy where y > 0, else 0 (over dy);  s_j = <A_j, z>;  dx_i = <W_i, z>;  dx += sum_j B_j s_j
//   step      row += rate (error gradient - l2 row)                                   (Robbins & Monro 1951)
//   adam      g = gradient + l2 row;  mean += (1 - beta1)(g - mean);  squares += (1 - beta2)(g² - squares)
//             row -= rate mean / (sqrt(squares fix2) + EPSILON)                       (Kingma & Ba 2015)
//
// W is `ins` columns W_i of `outs`; A is `rank` columns A_j of `outs`; B is `rank` rows B_j of `ins`.

const EPSILON: f32 = 1e-8;

/** <p, q> */
export function dot(p: usize, q: usize, n: u32): f32 {
  let a = f32x4.splat(0);
  let b = a;
  const end = p + bytesOf(n);
  for (; p + 32 <= end; p += 32, q += 32) {
    a = add(a, v128.load(p), v128.load(q));
    b = add(b, v128.load(p, 16), v128.load(q, 16));
  }
  if (p < end) a = add(a, v128.load(p), v128.load(q));
  const s = f32x4.add(a, b);
  const even = f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 2);
  const odd = f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 3);
  return even + odd;
}

export function products(p: usize, q: usize, v: usize, n: u32, pq: usize, wq: usize, wp: usize): void {
  const bytes = bytesOf(n);
  for (let f: usize = 0; f < bytes; f += 16) {
    const x = v128.load(p + f);
    const y = v128.load(q + f);
    const w = v128.load(v + f);
    v128.store(pq + f, f32x4.mul(x, y));
    v128.store(wq + f, add(y, w, y));
    v128.store(wp + f, add(x, w, x));
  }
}

/** `t` and `y` are written: `rank` and `outs` f32. */
export function layer(
  x: usize,
  w: usize,
  bias: usize,
  a: usize,
  b: usize,
  rank: u32,
  ins: u32,
  outs: u32,
  t: usize,
  y: usize,
): void {
  const height = bytesOf(outs);
  const end = x + bytesOf(ins);
  for (let j: u32 = 0; j < rank; j++) store<f32>(t + bytesOf(j), dot(b + bytesOf(j * ins), x, ins));
  for (let f: usize = 0; f < height; f += 16) {
    let sum = v128.load(bias + f);
    let column = w + f;
    for (let at = x; at < end; at += 4, column += height) {
      sum = add(sum, v128.load(column), v128.load32_splat(at));
    }
    column = a + f;
    for (let j: u32 = 0; j < rank; j++, column += height) {
      sum = add(sum, v128.load(column), v128.load32_splat(t + bytesOf(j)));
    }
    v128.store(y + f, f32x4.max(sum, f32x4.splat(0)));
  }
}

/** `z` holds dy and is written over; `s` and `dx` are written: `rank` and `ins` f32. */
export function back(
  z: usize,
  y: usize,
  w: usize,
  a: usize,
  b: usize,
  rank: u32,
  ins: u32,
  outs: u32,
  keep: f32,
  s: usize,
  dx: usize,
): void {
  const height = bytesOf(outs);
  const width = bytesOf(ins);
  for (let f: usize = 0; f < height; f += 16) {
    const open = f32x4.gt(v128.load(y + f), f32x4.splat(0));
    v128.store(z + f, v128.and(f32x4.mul(f32x4.splat(keep), v128.load(z + f)), open));
  }
  for (let f: usize = 0, column = w; f < width; f += 4, column += height) store<f32>(dx + f, dot(column, z, outs));
  for (let j: u32 = 0; j < rank; j++) {
    const share = dot(a + <usize>j * height, z, outs);
    store<f32>(s + bytesOf(j), share);
    addTo(dx, b + <usize>j * width, ins, share);
  }
}

/** to = from */
export function copy(to: usize, from: usize, n: u32): void {
  const end = to + bytesOf(n);
  for (; to < end; to += 16, from += 16) v128.store(to, v128.load(from));
}

/** to += share from */
export function addTo(to: usize, from: usize, n: u32, share: f32): void {
  const shares = f32x4.splat(share);
  const end = to + bytesOf(n);
  for (; to < end; to += 16, from += 16) v128.store(to, add(v128.load(to), shares, v128.load(from)));
}

/** W_i += share x_i z, for all `ins` columns. */
export function addOuter(w: usize, x: usize, z: usize, ins: u32, outs: u32, share: f32): void {
  const height = bytesOf(outs);
  const end = x + bytesOf(ins);
  for (; x < end; x += 4, w += height) addTo(w, z, outs, share * load<f32>(x));
}

export function step(row: usize, gradient: usize, n: u32, rate: f32, error: f32, l2: f32): void {
  const end = row + bytesOf(n);
  for (; row < end; row += 16, gradient += 16) {
    const x = v128.load(row);
    const pull = f32x4.mul(f32x4.splat(l2), x);
    const down = f32x4.sub(f32x4.mul(f32x4.splat(error), v128.load(gradient)), pull);
    v128.store(row, add(x, f32x4.splat(rate), down));
  }
}

/** Steps of A_j along z t_j and of B_j along x s_j. */
export function adapt(
  a: usize,
  b: usize,
  t: usize,
  s: usize,
  z: usize,
  x: usize,
  rank: u32,
  ins: u32,
  outs: u32,
  rate: f32,
  error: f32,
  l2: f32,
): void {
  for (let j: u32 = 0; j < rank; j++) {
    step(a + bytesOf(j * outs), z, outs, rate, error * load<f32>(t + bytesOf(j)), l2);
    step(b + bytesOf(j * ins), x, ins, rate, error * load<f32>(s + bytesOf(j)), l2);
  }
}

/** `gradient` is filled with 0. */
export function adam(
  row: usize,
  gradient: usize,
  mean: usize,
  squares: usize,
  n: u32,
  rate: f32,
  l2: f32,
  beta1: f32,
  beta2: f32,
  fix2: f32,
): void {
  const end = row + bytesOf(n);
  for (; row < end; row += 16, gradient += 16, mean += 16, squares += 16) {
    const x = v128.load(row);
    const g = add(v128.load(gradient), f32x4.splat(l2), x);
    const m = toward(v128.load(mean), g, 1 - beta1);
    const v = toward(v128.load(squares), f32x4.mul(g, g), 1 - beta2);
    v128.store(gradient, f32x4.splat(0));
    v128.store(mean, m);
    v128.store(squares, v);
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(v, f32x4.splat(fix2))), f32x4.splat(EPSILON));
    v128.store(row, f32x4.sub(x, f32x4.div(f32x4.mul(f32x4.splat(rate), m), root)));
  }
}

/** out[i] = <p, q_i> + x_i, or times x_i, for `count` items, whose rows lie `stride` bytes apart. */
export function scores(p: usize, q: usize, x: usize, stride: u32, n: u32, count: u32, times: bool, out: usize): void {
  const end = out + bytesOf(count);
  for (; out < end; out += 4, q += stride, x += stride) {
    const product = dot(p, q, n);
    store<f32>(out, times ? product * load<f32>(x) : product + load<f32>(x));
  }
}

// @ts-ignore: decorator
@inline
function bytesOf(n: u32): usize {
  return (<usize>n) << 2;
}

/** a + x y, rounded twice. */
// @ts-ignore: decorator
@inline
function add(a: v128, x: v128, y: v128): v128 {
  return f32x4.add(a, f32x4.mul(x, y));
}

/** a + part (b - a) */
// @ts-ignore: decorator
@inline
function toward(a: v128, b: v128, part: f32): v128 {
  return add(a, f32x4.splat(part), f32x4.sub(b, a));
}
