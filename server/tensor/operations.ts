import type { Elementwise, TopItems } from '../../plugins/contract/index.ts';

/** What a workspace asks of a device, as plain data that crosses threads. Matrices are numbers that the workspace gave. */

export type Arithmetic = 'add' | 'subtract' | 'multiply' | 'divide';

/** Makes the matrix `out`, of `rows` x `columns`. */
export type Making = { readonly out: number; readonly rows: number; readonly columns: number } & Made;

type Made =
  | { readonly op: 'upload'; readonly values: Float32Array }
  | { readonly op: 'fill'; readonly value: number }
  | {
      readonly op: 'matmul';
      readonly a: number;
      readonly b: number;
      readonly transposeA: boolean;
      readonly transposeB: boolean;
    }
  | { readonly op: 'arithmetic'; readonly how: Arithmetic; readonly a: number; readonly b: number }
  | { readonly op: 'affine'; readonly a: number; readonly factor: number; readonly offset: number }
  | { readonly op: 'apply'; readonly how: Elementwise; readonly a: number }
  | { readonly op: 'sum'; readonly over: 'rows' | 'columns'; readonly a: number }
  | { readonly op: 'gather'; readonly a: number; readonly chosen: Uint32Array }
  | { readonly op: 'scatter'; readonly a: number; readonly chosen: Uint32Array }
  | { readonly op: 'concat'; readonly a: number; readonly b: number }
  | { readonly op: 'slice'; readonly a: number; readonly from: number };

export type Operation = Making | { readonly op: 'free'; readonly matrix: number };

/** What is to be told when the operations before it are done. */
export type Question =
  | { readonly what: 'nothing' }
  | { readonly what: 'values'; readonly matrix: number }
  | { readonly what: 'top'; readonly matrix: number; readonly count: number };

export type Answer = undefined | Float32Array | TopItems;

/** Does what workspaces ask. */
export interface Executor {
  /**
   * Does operations in order, after those of the calls before, and answers. Arrays in them are the executor's from now on.
   * Throws DEVICE_FULL and `DeviceFailure`; what is asked after that fails too.
   */
  execute(operations: readonly Operation[], question: Question): Promise<Answer>;
  /** Frees all that was made. */
  end(): void;
}

/** The device is at fault, and the same work can be done on another one. */
export class DeviceFailure extends Error {
  override readonly name = 'DeviceFailure';
}
