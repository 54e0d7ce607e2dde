import type { Random } from '../contract/index.ts';

/** Fisher & Yates. */
export function shuffle(rows: Uint32Array, random: Random): void {
  for (let n = 0; n < rows.length; n++) {
    const drawn = n + random.below(rows.length - n);
    const row = rows[drawn];
    rows[drawn] = rows[n];
    rows[n] = row;
  }
}
