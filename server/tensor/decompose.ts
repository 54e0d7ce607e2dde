import { type Decomposition, type Matrix, SVD_MAX, type Workspace } from '../../plugins/contract/index.ts';
import { eigen } from './eigen.ts';
import { requireFit } from './shape.ts';

/**
 * The singular values of a, from the eigenvalues of the smaller of a' a and a a': the product is made on the device, the
 * small problem is solved here, and the other side follows by u = a v / s. A value that is 0 has a vector of zeros there.
 */
export async function decompose(on: Workspace, a: Matrix, rank: number): Promise<Decomposition> {
  const width = Math.min(a.rows, a.columns);
  requireFit(width <= SVD_MAX, `svd takes matrices that are at most ${SVD_MAX} wide or high`, a);
  requireFit(rank > 0 && rank <= width, `svd of rank ${rank} goes beyond`, a);
  const isTall = a.rows >= a.columns;
  const gram = isTall ? on.gram(a) : on.matmul(a, a, { transposeB: true });
  const { values, vectors } = eigen(Float64Array.from(await on.read(gram)), width);
  on.free(gram);
  const s = Float32Array.from(values.subarray(0, rank), (value) => Math.sqrt(Math.max(0, value)));
  const near = Float32Array.from(
    { length: width * rank },
    (_, n) => vectors[Math.floor(n / rank) * width + (n % rank)],
  );
  const least = SMALLEST * s[0];
  const inverse = s.map((value) => (value > least ? 1 / value : 0));
  const v = on.upload(near, width, rank);
  const u = on.tidy(() => on.multiply(on.matmul(a, v, { transposeA: !isTall }), on.upload(inverse, 1, rank)));
  return isTall ? { u, s, v } : { u: v, s, v: u };
}

/** Of the greatest singular value: what is below is 0 as far as f32 can tell. */
const SMALLEST = 1e-6;
