import type { History } from './plugin.ts';

/** The live ratings that weigh something: what a refit learns. */
export interface LiveRatings {
  /** Their rows, from the first on; whoever asked may order them. */
  readonly order: Uint32Array;
  /** Sums of weight (value - 3), and of weight. */
  readonly sum: number;
  readonly weight: number;
}

/** Finds them; yields 0 every `pace` rows, so that others have their turn. */
export function* liveRatings(history: History, pace: number): Generator<number, LiveRatings, void> {
  const rows = new Uint32Array(history.rows);
  let [count, sum, total] = [0, 0, 0];
  for (let row = 0; row < rows.length; row++) {
    if (row % pace === 0) yield 0;
    const weight = history.weight(row);
    if (weight === 0) continue;
    rows[count++] = row;
    sum += weight * (history.value(row) - 3);
    total += weight;
  }
  return { order: rows.subarray(0, count), sum, weight: total };
}
