import type { WritableAddress } from '../contract/index.ts';
import type { NcfKernels } from './kernels.ts';

/*
 * Ratings of 1 to 5 never need numbers this large; settings at their bounds could drive them there. With them, what the
 * network says and all of its gradients are within what an f32 holds.
 */

const LENGTH_MAX = 10;
/** Of all weights of a layer. */
export const LAYER_MAX = 16;
/** Of either half of an adapter. */
export const ADAPTER_MAX = 4;

/** Takes a vector back into a ball: projected descent. */
export function shorten(vector: WritableAddress, n: number, kernels: NcfKernels, most = LENGTH_MAX): void {
  const square = kernels.dot(vector, vector, n);
  if (square <= most ** 2) return;
  kernels.addTo(vector, vector, n, most / Math.sqrt(square) - 1);
}
