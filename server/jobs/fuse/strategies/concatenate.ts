import type { Device } from '../../../../plugins/contract/index.ts';
import { eigen } from '../../../tensor/eigen.ts';
import { squareSvd, times } from './procrustes.ts';

/** Factors of some models side by side: L of `left` rows and R of `right` rows, `width` numbers each. */
export interface Wide {
  readonly left: Float32Array;
  readonly right: Float32Array;
  readonly width: number;
}

export interface Truncated {
  /** `rank` numbers a row. */
  readonly left: Float32Array;
  readonly right: Float32Array;
  /** What part of the sum of squares of all products is kept. */
  readonly kept: number;
}

/**
 * The nearest factors of a smaller rank: of all matrices of that rank their product is nearest to L R', which is the sum of
 * what the models say (Eckart & Young 1936). Without the product itself, which has a number for every user and item, by an
 * orthonormal basis of either side and the small matrix between them:
 *
 *     L = Q A, R = P B        A B' = U S V'        L_r = Q U S^½ = L A^-1 U S^½        R_r = R B^-1 V S^½
 *
 * with A = D^½ E' of L'L = E D E', in the place of the triangle of a QR decomposition, and its pseudo-inverse.
 */
export async function truncate(device: Device, { left, right, width }: Wide, rank: number): Promise<Truncated> {
  const [ofLeft, ofRight] = [await rootOf(device, left, width), await rootOf(device, right, width)];
  const { u, s, v } = squareSvd(times(ofLeft.root, ofRight.root, width), width);
  const narrow = (inverse: Float64Array, vectors: Float64Array) => {
    const map = new Float32Array(width * rank);
    for (let i = 0; i < width; i++)
      for (let j = 0; j < rank; j++) {
        let sum = 0;
        for (let n = 0; n < width; n++) sum += inverse[i * width + n] * vectors[n * width + j];
        map[i * rank + j] = sum * Math.sqrt(s[j]);
      }
    return map;
  };
  const squares = s.map((each) => each * each);
  const sum = (some: Float64Array) => some.reduce((so, each) => so + each, 0);
  return {
    left: await mapped(device, left, width, narrow(ofLeft.inverse, u), rank),
    right: await mapped(device, right, width, narrow(ofRight.inverse, v), rank),
    kept: sum(squares) > 0 ? sum(squares.subarray(0, rank)) / sum(squares) : 1,
  };
}

/** Of the greatest eigenvalue of a product in f32: what is below is noise. */
const SMALLEST = 1e-6;

/** A = D^½ E', and E D^-½. */
async function rootOf(device: Device, values: Float32Array, width: number) {
  const rows = values.length / width;
  const gram =
    rows === 0
      ? new Float32Array(width * width)
      : await device.run((on) => on.read(on.gram(on.upload(values, rows, width))));
  const { values: squares, vectors } = eigen(Float64Array.from(gram), width);
  const root = new Float64Array(width * width);
  const inverse = new Float64Array(width * width);
  for (let n = 0; n < width; n++) {
    if (squares[n] <= SMALLEST * squares[0]) continue;
    const length = Math.sqrt(squares[n]);
    for (let i = 0; i < width; i++) {
      root[n * width + i] = length * vectors[i * width + n];
      inverse[i * width + n] = vectors[i * width + n] / length;
    }
  }
  return { root, inverse };
}

async function mapped(
  device: Device,
  values: Float32Array,
  width: number,
  map: Float32Array,
  rank: number,
): Promise<Float32Array> {
  const rows = values.length / width;
  if (rows === 0) return new Float32Array();
  return device.run((on) => on.read(on.matmul(on.upload(values, rows, width), on.upload(map, width, rank))));
}
