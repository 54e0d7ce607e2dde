import type { Block, Numbers } from '../../../models/fusion.ts';

export interface Gaussians {
  /** n a row. */
  readonly means: Block;
  /** n² a row, or n (n + 1)/2: row by row to the diagonal. Zeros: nothing is known. */
  readonly covariances: Block;
}

/**
 * Fuses what models know of the same unknowns, a normal distribution each, by the mean of their precisions (covariance
 * intersection: Julier & Uhlmann 1997, with equal weights):
 *
 *     P^-1 = (1/m) sum_n A_n^-1         x = x_1 + P (1/m) sum_n A_n^-1 (x_n - x_1)         over the m models that know the row
 *
 * So whoever is surer counts more, and nobody gets surer by being asked twice: how far the models have learned from the same
 * ratings need not be known.
 */
export function fuseGaussians(parts: readonly Gaussians[]): Gaussians {
  const [{ means, covariances }] = parts;
  const fused = {
    means: { ...means, values: means.values.slice() },
    covariances: { ...covariances, values: covariances.values.slice() },
  };
  for (let row = 0; row < means.rows; row++) {
    const known = parts.map((part) => rowOf(part, row)).filter(({ covariance }) => covariance[0] > 0);
    if (known.length > 0) fuseRow(known, rowOf(fused, row));
  }
  return fused;
}

interface Row {
  readonly mean: Numbers;
  readonly covariance: Numbers;
}

function rowOf({ means, covariances }: Gaussians, row: number): Row {
  const of = ({ values, width }: Block) => values.subarray(row * width, (row + 1) * width);
  return { mean: of(means), covariance: of(covariances) };
}

function fuseRow(known: readonly Row[], into: Row): void {
  const [first] = known;
  into.mean.set(first.mean);
  into.covariance.set(first.covariance);
  if (known.length === 1) return;
  const n = first.mean.length;
  const precision = new Float64Array(n * n);
  const pull = new Float64Array(n);
  for (const { mean, covariance } of known) {
    const inverse = invert(unpack(covariance, n), n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        precision[i * n + j] += inverse[i * n + j] / known.length;
        pull[i] += (inverse[i * n + j] * (mean[j] - first.mean[j])) / known.length;
      }
  }
  const covariance = invert(precision, n);
  for (let i = 0; i < n; i++) {
    let moved = first.mean[i];
    for (let j = 0; j < n; j++) moved += covariance[i * n + j] * pull[j];
    into.mean[i] = moved;
  }
  const place = placesOf(n, into.covariance.length);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) into.covariance[place(i, j)] = covariance[i * n + j];
}

/** Where an element stands. */
function placesOf(n: number, length: number): (i: number, j: number) => number {
  if (length === n * n) return (i, j) => i * n + j;
  return (i, j) => (Math.max(i, j) * (Math.max(i, j) + 1)) / 2 + Math.min(i, j);
}

function unpack(covariance: Numbers, n: number): Float64Array {
  const place = placesOf(n, covariance.length);
  return Float64Array.from({ length: n * n }, (_, at) => covariance[place(Math.floor(at / n), at % n)]);
}

/** Of a small symmetric positive definite matrix: Gauss and Jordan, whose pivots are then above 0. */
function invert(matrix: Float64Array, n: number): Float64Array {
  const left = matrix.slice();
  const right = new Float64Array(n * n);
  for (let i = 0; i < n; i++) right[i * n + i] = 1;
  for (let pivot = 0; pivot < n; pivot++) {
    const scale = 1 / left[pivot * n + pivot];
    for (const side of [left, right]) for (let j = 0; j < n; j++) side[pivot * n + j] *= scale;
    for (let i = 0; i < n; i++) {
      if (i === pivot) continue;
      const factor = left[i * n + pivot];
      for (const side of [left, right]) for (let j = 0; j < n; j++) side[i * n + j] -= factor * side[pivot * n + j];
    }
  }
  return right;
}
