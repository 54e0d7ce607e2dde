/**
 * The kernels of `mf` in plain TypeScript, for tests: one element at a time, every operation rounded to f32, sums in
 * the order that `kernels.as.ts` states. The same bits are expected.
 */

const f = Math.fround;
const EPSILON = f(1e-6);

/** What every step is given. */
export interface Gradient {
  readonly rate: number;
  readonly error: number;
  readonly l2: number;
}

/** <p, q>: vectors 0, 2, 4… of four elements are summed in the lanes of a, 1, 3, 5… in b, the rest in lane 0 of a. */
export function dot(p: Float32Array, q: Float32Array): number {
  const lanes = [new Float32Array(4), new Float32Array(4)];
  const whole = p.length - (p.length % 4);
  // An odd vector out, behind all pairs, goes to a: its number is even.
  for (let n = 0; n < whole; n++) lanes[(n >> 2) % 2][n % 4] += f(p[n] * q[n]);
  for (let n = whole; n < p.length; n++) lanes[0][0] += f(p[n] * q[n]);
  const s = Float32Array.from({ length: 4 }, (_, lane) => f(lanes[0][lane] + lanes[1][lane]));
  return f(f(s[0] + s[2]) + f(s[1] + s[3]));
}

/** <p, q>, <p, p>, <q, q> */
export function gram(p: Float32Array, q: Float32Array): number[] {
  return [dot(p, q), dot(p, p), dot(q, q)];
}

export function sgd(row: Float32Array, other: Float32Array, { rate, error, l2 }: Gradient): void {
  for (let n = 0; n < row.length; n++) row[n] = f(row[n] + f(f(rate) * downhill(row[n], other[n], error, l2)));
}

export function sgdBoth(p: Float32Array, q: Float32Array, gradient: Gradient): void {
  const before = p.slice();
  sgd(p, q, gradient);
  sgd(q, before, gradient);
}

export function momentum(
  row: Float32Array,
  other: Float32Array,
  { rate, error, l2 }: Gradient,
  last: Float32Array,
  mu: number,
): void {
  for (let n = 0; n < row.length; n++) {
    const g = downhill(row[n], other[n], error, l2);
    last[n] = f(f(f(mu) * last[n]) + f(f(rate) * g));
    row[n] = f(row[n] + last[n]);
  }
}

export function adagrad(
  row: Float32Array,
  other: Float32Array,
  { rate, error, l2 }: Gradient,
  squares: Float32Array,
): void {
  for (let n = 0; n < row.length; n++) {
    const g = downhill(row[n], other[n], error, l2);
    squares[n] = f(squares[n] + f(g * g));
    row[n] = f(row[n] + scaled(rate, g, squares[n]));
  }
}

export interface Moments {
  readonly mean: Float32Array;
  readonly squares: Float32Array;
  readonly beta1: number;
  readonly beta2: number;
  readonly fix2: number;
}

export function adam(
  row: Float32Array,
  other: Float32Array,
  { rate, error, l2 }: Gradient,
  { mean, squares, beta1, beta2, fix2 }: Moments,
): void {
  for (let n = 0; n < row.length; n++) {
    const g = downhill(row[n], other[n], error, l2);
    mean[n] = toward(mean[n], g, beta1);
    squares[n] = toward(squares[n], f(g * g), beta2);
    row[n] = f(row[n] + scaled(rate, mean[n], f(squares[n] * f(fix2))));
  }
}

/** e in place of b, and the gradient. */
export function contrast(
  s: Float32Array,
  rows: readonly Float32Array[],
  biases: Float32Array,
): { errors: Float32Array; gradient: Float32Array } {
  const x = biases.map((bias, n) => bias + dot(s, rows[n]));
  const most = Math.max(...x);
  const parts = x.map((each) => expDown(f(each - most)));
  const total = parts.reduce((sum, part) => sum + part, 0);
  const errors = parts.map((part, n) => (n === rows.length - 1 ? 1 : 0) - part / total);
  const gradient = new Float32Array(s.length);
  for (const [n, row] of rows.entries()) sgd(gradient, row, { rate: errors[n], error: 1, l2: 0 });
  return { errors, gradient };
}

/** 1/(1 + e^-(x + offset)) */
export function sigmoids(x: Float32Array, offset: number): Float32Array {
  return x.map((each) => {
    const part = expDown(-Math.abs(each + offset));
    return (each + offset < 0 ? part : 1) / (1 + part);
  });
}

/** e^x for x <= 0. */
export function expDown(x: number): number {
  if (x < -700) return 0;
  const n = Math.round(x * Math.LOG2E);
  const r = x - n * Math.LN2;
  let sum = 0;
  for (const factorial of [5040, 720, 120, 24, 6, 2, 1, 1]) sum = sum * r + 1 / factorial;
  return sum * 2 ** n;
}

function downhill(row: number, other: number, error: number, l2: number): number {
  return f(f(f(error) * other) - f(f(l2) * row));
}

function scaled(rate: number, g: number, squares: number): number {
  return f(f(f(rate) * g) / f(f(Math.sqrt(squares)) + EPSILON));
}

function toward(from: number, to: number, keep: number): number {
  return f(from + f(f(1 - f(keep)) * f(to - from)));
}
