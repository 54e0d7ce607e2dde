import type { Matrix, Workspace } from '../contract/index.ts';
import { SAID_MAX } from './gate.ts';
import type { Layer } from './shape.ts';

/** The tower, and what it is to learn of a batch: matrices have a row for each rating. */
export interface TowerBatch {
  readonly layers: readonly (Layer & { readonly w: Float32Array; readonly b: Float32Array })[];
  /** Of the last layer. */
  readonly numbers: Float32Array;
  /** x_0. */
  readonly entry: Float32Array;
  /** What neither biases nor products expected, and what ratings weigh. */
  readonly left: Float32Array;
  readonly weights: Float32Array;
  /** By layer, what its numbers are multiplied with; none: nothing is dropped. */
  readonly masks: readonly Float32Array[];
}

/** Sums over the batch of gradients of (error²/2) weight, but for `shares` and `entry`, which are by rating. */
export interface TowerGradients {
  /** -error weight: by what is said. */
  readonly shares: Float32Array;
  /** By x_0. */
  readonly entry: Float32Array;
  readonly numbers: Float32Array;
  readonly layers: readonly { readonly w: Float32Array; readonly b: Float32Array }[];
}

/** What `Net` does rating by rating, without adapters, by products of matrices. */
export async function gradientsOf(
  on: Workspace,
  { layers, numbers, entry, left, weights, masks }: TowerBatch,
): Promise<TowerGradients> {
  const rows = left.length;
  let y = on.upload(entry, rows, layers[0].ins);
  const floors = layers.map(({ w, b, ins, outs }, n) => {
    const x = y;
    const weight = on.upload(w, ins, outs);
    const sums = on.add(on.matmul(x, weight), on.upload(b, 1, outs));
    const step = on.apply('step', sums);
    const slope = masks.length === 0 ? step : on.multiply(step, on.upload(masks[n], rows, outs));
    y = on.multiply(sums, slope);
    return { x, weight, slope };
  });
  const last = on.upload(numbers, 1, numbers.length);
  const error = bounded(on, on.subtract(on.upload(left, rows, 1), on.matmul(y, last, { transposeB: true })));
  const shares = on.affine(on.multiply(error, on.upload(weights, rows, 1)), -1);
  let dy = on.matmul(shares, last);
  const steps = floors.toReversed().map(({ x, weight, slope }) => {
    const z = on.multiply(dy, slope);
    dy = on.matmul(z, weight, { transposeB: true });
    return { w: on.matmul(x, z, { transposeA: true }), b: on.sum(z, 'rows') };
  });
  const byNumbers = on.matmul(shares, y, { transposeA: true });
  const [ofShares, ofEntry, ofNumbers] = [shares, dy, byNumbers].map((matrix) => on.read(matrix));
  const ofLayers = steps.toReversed().map(async ({ w, b }) => ({ w: await on.read(w), b: await on.read(b) }));
  return {
    shares: await ofShares,
    entry: await ofEntry,
    numbers: await ofNumbers,
    layers: await Promise.all(ofLayers),
  };
}

/** Within -SAID_MAX .. SAID_MAX; in between it is what it was, to the bit. */
function bounded(on: Workspace, x: Matrix): Matrix {
  const above = on.apply('relu', on.affine(x, 1, -SAID_MAX));
  const below = on.apply('relu', on.affine(x, -1, -SAID_MAX));
  return on.subtract(on.add(x, below), above);
}
