import type { History, Random } from '../contract/index.ts';

const PACE = 2 ** 16;

/** The rows of live ratings that weigh something, and sums of weight (value - 3), and of weight. */
export interface Live {
  readonly order: Uint32Array;
  readonly sum: number;
  readonly weight: number;
}

/** Yields 0, so that others have their turn. */
export function* gather(history: History): Generator<number, Live, void> {
  const rows = new Uint32Array(history.rows);
  let [count, sum, total] = [0, 0, 0];
  for (let row = 0; row < rows.length; row++) {
    if (row % PACE === 0) yield 0;
    const weight = history.weight(row);
    if (weight === 0) continue;
    rows[count++] = row;
    sum += weight * (history.value(row) - 3);
    total += weight;
  }
  return { order: rows.subarray(0, count), sum, weight: total };
}

/** Fisher & Yates. */
export function shuffle(rows: Uint32Array, random: Random): void {
  for (let n = 0; n < rows.length; n++) {
    const drawn = n + random.below(rows.length - n);
    const row = rows[drawn];
    rows[drawn] = rows[n];
    rows[n] = row;
  }
}
