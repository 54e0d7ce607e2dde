import {
  type Address,
  type Column,
  type ColumnSpecs,
  f32,
  type Table,
  u32,
  type WritableAddress,
  type WritableMemory,
} from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';

/** How a gradient becomes a step of a row's vector; the formulas are in `kernels.as.ts`. State is per row and lazy. */

/** Steps the vector of `row` toward less error, given the vector on the other side. */
export type Step = (row: number, other: Address, eta: number, error: number) => void;

export type WritableTable = Table<ColumnSpecs, WritableAddress>;

/** What the optimiser keeps for every row. */
export function stateColumns({ optimiser, k }: Pick<MfConfig, 'optimiser' | 'k'>): ColumnSpecs {
  switch (optimiser) {
    case 'sgd':
      return {};
    case 'momentum':
      return { last: f32(k) };
    case 'adagrad':
      return { squares: f32(k) };
    case 'adam':
      return { mean: f32(k), squares: f32(k), steps: u32() };
  }
}

/** A step that keeps nothing: that of `sgd`, and of every replay. */
export function plainStep(kernels: MfKernels, vectorOf: Column<WritableAddress>, k: number, l2: number): Step {
  return (row, other, eta, error) => kernels.sgd(vectorOf(row), other, k, eta, error, l2);
}

/** The step that the configuration asks for. */
export function optimiserStep(
  config: MfConfig,
  kernels: MfKernels,
  memory: WritableMemory,
  table: WritableTable,
): Step {
  const { optimiser, k, l2, mu, beta1, beta2 } = config;
  if (k === 0) return () => {};
  const vectorOf = table.column('vector');
  switch (optimiser) {
    case 'sgd':
      return plainStep(kernels, vectorOf, k, l2);
    case 'momentum': {
      const lastOf = table.column('last');
      return (row, other, eta, error) => kernels.momentum(vectorOf(row), other, k, eta, error, l2, lastOf(row), mu);
    }
    case 'adagrad': {
      const squaresOf = table.column('squares');
      return (row, other, eta, error) => kernels.adagrad(vectorOf(row), other, k, eta, error, l2, squaresOf(row));
    }
    case 'adam': {
      const meanOf = table.column('mean');
      const squaresOf = table.column('squares');
      const stepsOf = table.column('steps');
      return (row, other, eta, error) => {
        const steps = ++memory.u32[stepsOf(row) >>> 2];
        const corrected = eta / (1 - power(beta1, steps));
        const fix2 = 1 / (1 - power(beta2, steps));
        kernels.adam(vectorOf(row), other, k, corrected, error, l2, meanOf(row), squaresOf(row), beta1, beta2, fix2);
      };
    }
  }
}

/**
 * Voids what the optimiser remembers of the direction of a table's steps, when its rows have moved by others. How large
 * gradients were still holds.
 */
export function forgetSteps(
  { optimiser, k }: Pick<MfConfig, 'optimiser' | 'k'>,
  memory: WritableMemory,
  table: WritableTable,
  rows: number,
): void {
  const column = k === 0 ? undefined : DIRECTIONS[optimiser];
  if (column === undefined) return;
  const at = table.column(column);
  for (let row = 0; row < rows; row++) memory.f32.fill(0, at(row) >>> 2, (at(row) >>> 2) + k);
}

const DIRECTIONS = { sgd: undefined, momentum: 'last', adagrad: undefined, adam: 'mean' } as const;

/** Ratings of 1 to 5 never need a vector of this length; settings at their bounds could drive it there. */
export const LENGTH_MAX = 10;

/** A step that ends within the ball of `LENGTH_MAX`: projected descent. */
export function projected(
  step: Step,
  kernels: MfKernels,
  memory: WritableMemory,
  vectorOf: Column<WritableAddress>,
  k: number,
): Step {
  return (row, other, eta, error) => {
    step(row, other, eta, error);
    shorten(vectorOf(row), k, kernels, memory);
  };
}

/** Takes a vector back into the ball of `LENGTH_MAX`. */
export function shorten(vector: WritableAddress, k: number, kernels: MfKernels, memory: WritableMemory): void {
  const square = kernels.dot(vector, vector, k);
  if (square <= LENGTH_MAX ** 2) return;
  const shrink = LENGTH_MAX / Math.sqrt(square);
  for (let at = vector >>> 2; at < (vector >>> 2) + k; at++) memory.f32[at] *= shrink;
}

/** base^n by squaring: `Math.pow` differs between engines. */
function power(base: number, n: number): number {
  let result = 1;
  for (let left = n, square = base; left > 0; left = Math.floor(left / 2), square *= square) {
    if (left % 2 === 1) result *= square;
  }
  return result;
}
