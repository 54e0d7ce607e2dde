import type { Matrix } from '../../plugins/contract/index.ts';

/** TensorFlow counts elements in 32 bits. */
const ELEMENTS_MAX = 2 ** 31 - 1;
export const BYTES_PER_NUMBER = 4;

export function bytesOf({ rows, columns }: Matrix): number {
  return rows * columns * BYTES_PER_NUMBER;
}

export function describe({ rows, columns }: Matrix): string {
  return `${rows} x ${columns}`;
}

/** Refuses what is no shape, with a TypeError. */
export function requireShape(rows: number, columns: number): void {
  const isShape = Number.isInteger(rows) && Number.isInteger(columns) && rows > 0 && columns > 0;
  if (!isShape) throw new TypeError(`a matrix of ${rows} x ${columns} has no elements: both are whole numbers above 0`);
  if (rows * columns > ELEMENTS_MAX)
    throw new TypeError(`a matrix of ${rows} x ${columns} has more than ${ELEMENTS_MAX} elements: take it in parts`);
}

/** Refuses what is wrong with a request, with a TypeError. */
export function requireFit(fits: boolean, what: string, ...matrices: readonly Matrix[]): void {
  if (!fits) throw new TypeError(`${what}: ${matrices.map(describe).join(' and ')}`);
}
