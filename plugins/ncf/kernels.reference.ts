/**
 * The kernels of `ncf` in plain TypeScript, for tests: one element at a time, every operation rounded to f32, sums in the
 * order that `kernels.as.ts` states. The same bits are expected.
 */

const f = Math.fround;
const EPSILON = f(1e-8);

/** W by its columns, A by its columns, B by its rows. */
export interface LayerWeights {
  readonly w: readonly Float32Array[];
  readonly bias: Float32Array;
  readonly a: readonly Float32Array[];
  readonly b: readonly Float32Array[];
}

/** <p, q>: vectors 0, 2, 4… of four elements are summed in the lanes of a, 1, 3, 5… in b. */
export function dot(p: Float32Array, q: Float32Array): number {
  const lanes = [new Float32Array(4), new Float32Array(4)];
  for (let n = 0; n < p.length; n++) lanes[(n >> 2) % 2][n % 4] += f(p[n] * q[n]);
  const s = Float32Array.from({ length: 4 }, (_, lane) => f(lanes[0][lane] + lanes[1][lane]));
  return f(f(s[0] + s[2]) + f(s[1] + s[3]));
}

export function products(p: Float32Array, q: Float32Array, v: Float32Array) {
  return {
    pq: p.map((x, n) => f(x * q[n])),
    wq: q.map((y, n) => f(y + f(v[n] * y))),
    wp: p.map((x, n) => f(x + f(v[n] * x))),
  };
}

/** to += share from */
export function addTo(to: Float32Array, from: Float32Array, share: number): void {
  for (let n = 0; n < to.length; n++) to[n] = f(to[n] + f(f(share) * from[n]));
}

export function layer(x: Float32Array, { w, bias, a, b }: LayerWeights): { t: Float32Array; y: Float32Array } {
  const t = Float32Array.from(b, (row) => dot(row, x));
  const y = bias.slice();
  for (const [i, column] of w.entries()) addTo(y, column, x[i]);
  for (const [j, column] of a.entries()) addTo(y, column, t[j]);
  return { t, y: y.map((each) => Math.max(each, 0)) };
}

export function back(dy: Float32Array, y: Float32Array, { w, a, b }: LayerWeights, keep: number) {
  const z = dy.map((each, n) => (y[n] > 0 ? f(f(keep) * each) : 0));
  const s = Float32Array.from(a, (column) => dot(column, z));
  const dx = Float32Array.from(w, (column) => dot(column, z));
  for (const [j, row] of b.entries()) addTo(dx, row, s[j]);
  return { z, s, dx };
}

export interface Step {
  readonly rate: number;
  readonly error: number;
  readonly l2: number;
}

export function step(row: Float32Array, gradient: Float32Array, { rate, error, l2 }: Step): void {
  for (let n = 0; n < row.length; n++) {
    const down = f(f(f(error) * gradient[n]) - f(f(l2) * row[n]));
    row[n] = f(row[n] + f(f(rate) * down));
  }
}

export interface Moments {
  readonly mean: Float32Array;
  readonly squares: Float32Array;
}

export interface AdamStep {
  readonly rate: number;
  readonly l2: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly fix2: number;
}

export function adam(
  row: Float32Array,
  gradient: Float32Array,
  { mean, squares }: Moments,
  { rate, l2, beta1, beta2, fix2 }: AdamStep,
): void {
  for (let n = 0; n < row.length; n++) {
    const g = f(gradient[n] + f(f(l2) * row[n]));
    mean[n] = toward(mean[n], g, beta1);
    squares[n] = toward(squares[n], f(g * g), beta2);
    const root = f(f(Math.sqrt(f(squares[n] * f(fix2)))) + EPSILON);
    row[n] = f(row[n] - f(f(f(rate) * mean[n]) / root));
    gradient[n] = 0;
  }
}

function toward(from: number, to: number, keep: number): number {
  return f(from + f(f(1 - f(keep)) * f(to - from)));
}
