/** The kernels in plain TypeScript, number by number in their order. */

export interface Regression {
  /** P, row by row. */
  readonly p: Float64Array;
  readonly w: Float64Array;
}

export interface Lesson {
  readonly error: number;
  readonly weight: number;
  readonly forgetting: number;
  readonly most: number;
}

export function learn({ p, w }: Regression, x: Float64Array, { error, weight, forgetting, most }: Lesson): void {
  const n = x.length;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += p[i * n + i];
  const keep = trace > most ? 1 : forgetting;
  let s = keep;
  const g = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    g[i] = dot(p.subarray(i * n, (i + 1) * n), x);
    s += weight * g[i] * x[i];
  }
  const step = (weight * error) / s;
  const scale = Math.sqrt(weight / s);
  for (let i = 0; i < n; i++) {
    w[i] += g[i] * step;
    g[i] *= scale;
  }
  const undo = 1 / keep;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) p[i * n + j] = (p[i * n + j] - g[i] * g[j]) * undo;
}

export function dot(a: Float64Array, b: Float64Array): number {
  const lanes = [0, 0];
  const even = a.length - (a.length % 2);
  for (let j = 0; j < even; j++) lanes[j % 2] += a[j] * b[j];
  if (even < a.length) lanes[0] += a[even] * b[even];
  return lanes[0] + lanes[1];
}

/** [factor, shift] */
export function moments(scores: Float32Array): [number, number] {
  const some = [...scores].filter((score) => score >= -1e20);
  const mean = some.length === 0 ? 0 : some.reduce((sum, score) => sum + score, 0) / some.length;
  const squares = some.reduce((sum, score) => sum + (score - mean) * (score - mean), 0);
  const sd = some.length === 0 ? 0 : Math.sqrt(squares / some.length);
  const factor = sd > 1e-6 * Math.max(0, ...some.map(Math.abs)) ? 1 / sd : 0;
  return [factor, -mean * factor];
}

export function blend(scores: Float32Array, a: number, b: number, out: Float32Array): void {
  for (let n = 0; n < scores.length; n++)
    out[n] += Math.fround(Math.fround(Math.fround(a) * scores[n]) + Math.fround(b));
}
