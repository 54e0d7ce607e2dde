// The kernels of `stack` over the shared memory. Addresses are bytes, unsigned. Strict SIMD in an order of its own, to the
// bit that of `kernels.reference.ts`. No static data.
//
//   lanes     element j of a row is in lane j % 2; what is left over goes to lane 0; the sum is s0 + s1
//   learn     recursive least squares with forgetting of weighted rows (Plackett 1950; Ljung & Söderström 1983):
//               keep = trace P > most ? 1 : forgetting         g = P x         S = keep + weight x'g
//               W += g (weight error / S)                      P = (P - h h')/keep,  h = g sqrt(weight / S)
//             P[i][j] and P[j][i] come of the same numbers, so P stays symmetric to the bit
//   blend     out += a scores + b
//   moments   factor and shift of z = factor s + shift, of mean 0 and sd 1 over the scores above -1e20, summed in their
//             order; both 0 where the sd is less than a millionth of the greatest of them

/** What scores an item of which nothing can be said has less than this. */
const NOTHING: f64 = -1e20;
const FLAT: f64 = 1e-6;

/** `p`: n x n f64; `w`, `x`, `g`: n f64, of which `g` is written over. */
export function learn(
  p: usize,
  w: usize,
  x: usize,
  g: usize,
  n: u32,
  error: f64,
  weight: f64,
  forgetting: f64,
  most: f64,
): void {
  const bytes = (<usize>n) << 3;
  let trace: f64 = 0;
  for (let at = p, i: u32 = 0; i < n; i++, at += bytes + 8) trace += load<f64>(at);
  const keep = trace > most ? 1 : forgetting;
  let s = keep;
  for (let i: usize = 0, row = p; i < bytes; i += 8, row += bytes) {
    const sum = dot(row, x, bytes);
    store<f64>(g + i, sum);
    s += weight * sum * load<f64>(x + i);
  }
  const step = (weight * error) / s;
  const scale = sqrt<f64>(weight / s);
  for (let i: usize = 0; i < bytes; i += 8) {
    const gain = load<f64>(g + i);
    store<f64>(w + i, load<f64>(w + i) + gain * step);
    store<f64>(g + i, gain * scale);
  }
  const undo = 1 / keep;
  const undoes = f64x2.splat(undo);
  for (let i: usize = 0, row = p; i < bytes; i += 8, row += bytes) {
    const h = load<f64>(g + i);
    const hs = f64x2.splat(h);
    let j: usize = 0;
    for (; j + 16 <= bytes; j += 16) {
      const less = f64x2.sub(v128.load(row + j), f64x2.mul(hs, v128.load(g + j)));
      v128.store(row + j, f64x2.mul(less, undoes));
    }
    if (j < bytes) store<f64>(row + j, (load<f64>(row + j) - h * load<f64>(g + j)) * undo);
  }
}

/** <a, b> of `bytes`/8 f64. */
export function dot(a: usize, b: usize, bytes: usize): f64 {
  let sums = f64x2.splat(0);
  let j: usize = 0;
  for (; j + 16 <= bytes; j += 16) sums = f64x2.add(sums, f64x2.mul(v128.load(a + j), v128.load(b + j)));
  let first = f64x2.extract_lane(sums, 0);
  if (j < bytes) first += load<f64>(a + j) * load<f64>(b + j);
  return first + f64x2.extract_lane(sums, 1);
}

/** `scores`: `count` f32; `out`: factor and shift, f64. */
export function moments(scores: usize, count: u32, out: usize): void {
  const end = scores + ((<usize>count) << 2);
  let sum: f64 = 0;
  let greatest: f64 = 0;
  let some: f64 = 0;
  for (let at = scores; at < end; at += 4) {
    const score = <f64>load<f32>(at);
    if (score < NOTHING) continue;
    sum += score;
    greatest = max<f64>(greatest, abs<f64>(score));
    some++;
  }
  const mean = some == 0 ? 0 : sum / some;
  let squares: f64 = 0;
  for (let at = scores; at < end; at += 4) {
    const score = <f64>load<f32>(at);
    if (score >= NOTHING) squares += (score - mean) * (score - mean);
  }
  const sd = some == 0 ? 0 : sqrt<f64>(squares / some);
  const factor = sd > FLAT * greatest ? 1 / sd : 0;
  store<f64>(out, factor);
  store<f64>(out, -mean * factor, 8);
}

/** `scores` and `out` are `count` f32. */
export function blend(scores: usize, count: u32, a: f32, b: f32, out: usize): void {
  const end = scores + ((<usize>count) << 2);
  const as = f32x4.splat(a);
  const bs = f32x4.splat(b);
  for (; scores + 16 <= end; scores += 16, out += 16)
    v128.store(out, f32x4.add(v128.load(out), f32x4.add(f32x4.mul(as, v128.load(scores)), bs)));
  for (; scores < end; scores += 4, out += 4) store<f32>(out, load<f32>(out) + (a * load<f32>(scores) + b));
}

/** out = value, `count` f32. */
export function fill(out: usize, count: u32, value: f32): void {
  const end = out + ((<usize>count) << 2);
  const values = f32x4.splat(value);
  for (; out + 16 <= end; out += 16) v128.store(out, values);
  for (; out < end; out += 4) store<f32>(out, value);
}
