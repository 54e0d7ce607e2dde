import type { TopItems } from '../../plugins/contract/index.ts';
import type { Making } from './operations.ts';

/**
 * Where matrices are computed. Obligations:
 * 1. `make` gives a tensor of the asked shape; its inputs stay as they are.
 * 2. What it makes on the way is freed when it returns: `tensors` counts what is left.
 * 3. Whatever it throws is its own fault: shapes have been checked.
 */
export interface Backend<T = unknown> {
  readonly name: 'cpu' | 'tensorflow' | 'webgpu';
  /** What really computes: a processor, a card, a driver. */
  readonly adapter: string;
  /** Whether that is a graphics card. */
  readonly accelerated: boolean;
  /** How many tensors there are. */
  readonly tensors: number;
  make(making: Making, a: T | undefined, b: T | undefined): T;
  read(tensor: T): Promise<Float32Array>;
  /** The `count` best of each of the rows. */
  topK(tensor: T, count: number): Promise<TopItems>;
  free(tensor: T): void;
  /** Resolves with why when the device is gone; absent where it cannot go. */
  readonly lost?: Promise<string>;
}
