import type { Device } from '../../../../plugins/contract/index.ts';
import { eigen } from '../../../tensor/eigen.ts';
import { orthonormal } from './orthonormal.ts';

/** Rows that two models know, in the same order: `rows` x `k`. */
export interface Pair {
  readonly target: Float32Array;
  readonly source: Float32Array;
  readonly rows: number;
  readonly k: number;
}

export interface Alignment {
  /** W, k x k. */
  readonly rotation: Float64Array;
  /** |X - Y W| / |X|, and the same without turning. */
  readonly residual: number;
  readonly unaligned: number;
  /** tr(Y'X) / tr(S): what part of the agreement that turning can bring is there without it; 1: both have one base. */
  readonly agreement: number;
}

/**
 * The turn that brings the rows Y of a source as near as can be to the rows X of a target, users and items stacked
 * (orthogonal Procrustes problem: Schönemann 1966):
 *
 *     Y'X = U S V'        W = U V'  minimises |X - Y W|  over all W with W'W = I
 *
 * Factors that were trained apart agree only up to such a turn: it leaves all products of rows as they are.
 */
export async function align(device: Device, { target, source, rows, k }: Pair): Promise<Alignment> {
  const product = await device.run(async (on) => {
    const [x, y] = [on.upload(target, rows, k), on.upload(source, rows, k)];
    return on.read(on.matmul(y, x, { transposeA: true }));
  });
  const { rotation, size } = orthogonalFactor(Float64Array.from(product), k);
  const [aligned, unaligned, length] = await device.run(async (on) => {
    const [x, y] = [on.upload(target, rows, k), on.upload(source, rows, k)];
    const turned = on.matmul(y, on.upload(Float32Array.from(rotation), k, k));
    const parts = [on.subtract(x, turned), on.subtract(x, y), x].map((part) =>
      on.sum(on.sum(on.apply('square', part), 'rows'), 'columns'),
    );
    return (await Promise.all(parts.map((part) => on.read(part)))).map(([square]) => Math.sqrt(square));
  });
  let trace = 0;
  for (let n = 0; n < k; n++) trace += product[n * k + n];
  const relative = (part: number) => (length > 0 ? part / length : 0);
  return {
    rotation,
    residual: relative(aligned),
    unaligned: relative(unaligned),
    agreement: size > 0 ? trace / size : 1,
  };
}

/** Y W of every row of Y. */
export async function turn(
  device: Device,
  values: Float32Array,
  k: number,
  rotation: Float64Array,
): Promise<Float32Array> {
  if (values.length === 0) return values;
  return device.run((on) =>
    on.read(on.matmul(on.upload(values, values.length / k, k), on.upload(Float32Array.from(rotation), k, k))),
  );
}

/** U V' of a square matrix U S V', and the sum of S. Where S is 0, U is made up so that it is orthonormal. */
export function orthogonalFactor(matrix: Float64Array, k: number): { rotation: Float64Array; size: number } {
  const { u, s, v } = squareSvd(matrix, k);
  return { rotation: times(u, v, k), size: s.reduce((sum, each) => sum + each, 0) };
}

/** M = U diag(S) V' in doubles, S falling: V from the eigenvalues of M'M, U from M V. */
export function squareSvd(matrix: Float64Array, k: number): { u: Float64Array; s: Float64Array; v: Float64Array } {
  const gram = new Float64Array(k * k);
  for (let n = 0; n < k; n++)
    for (let i = 0; i < k; i++) {
      const left = matrix[n * k + i];
      for (let j = 0; j < k; j++) gram[i * k + j] += left * matrix[n * k + j];
    }
  const { values, vectors: v } = eigen(gram, k);
  const s = values.map((value) => Math.sqrt(Math.max(0, value)));
  const u = new Float64Array(k * k);
  for (let i = 0; i < k; i++)
    for (let n = 0; n < k; n++) {
      const left = matrix[i * k + n];
      for (let j = 0; j < k; j++) u[i * k + j] += left * v[n * k + j];
    }
  orthonormal(u, k, k);
  return { u, s, v };
}

/** A B' of square matrices. */
export function times(a: Float64Array, b: Float64Array, k: number): Float64Array {
  const product = new Float64Array(k * k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) {
      let sum = 0;
      for (let n = 0; n < k; n++) sum += a[i * k + n] * b[j * k + n];
      product[i * k + j] = sum;
    }
  return product;
}
