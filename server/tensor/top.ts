import type { TopItems } from '../../plugins/contract/index.ts';
import type { Values } from './multiply.ts';

/** The `count` best of each row: in falling order, equal ones by number. */
export function topOf({ rows, columns, values }: Values, count: number): TopItems {
  const items = new Uint32Array(rows * count);
  const scores = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const start = row * count;
    let size = 0;
    for (let item = 0; item < columns; item++) {
      const score = values[row * columns + item];
      if (size === count && !(score > scores[start + size - 1])) continue;
      // From the end to its place, as far as others are worse.
      let at = size < count ? size++ : size - 1;
      for (; at > 0 && score > scores[start + at - 1]; at--) {
        scores[start + at] = scores[start + at - 1];
        items[start + at] = items[start + at - 1];
      }
      scores[start + at] = score;
      items[start + at] = item;
    }
  }
  return { items, scores };
}
