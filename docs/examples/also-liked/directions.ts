import type { Address, ScoreContext, WritableAddress } from '../../../plugins/contract/index.ts';
import type { Config, Tables } from './tables.ts';

/** The directions d of items, and a taste: a sum of some of them, by which items are ranked. */
export function directions({
  config,
  tables: { items },
  memory,
  scores,
  scratch,
}: ScoreContext<Config, Tables, unknown>) {
  const { width, doubt } = config;
  const sumOf = items.column('sum');
  const squaresOf = items.column('squares');
  const taste = scratch(4 * width);

  const dot = (a: Address, b: Address) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += memory.f32[(a >>> 2) + k] * memory.f32[(b >>> 2) + k];
    return sum;
  };
  /** d_i is this times v_i. A row may mix two events: squares are not below 0. */
  const scaleOf = (item: number) => {
    const squares = Math.max(0, memory.f64[squaresOf(item) >>> 3]);
    return squares === 0 ? 0 : 1 / Math.sqrt(width * (squares + doubt));
  };

  return {
    likeness: (a: number, b: number) => scaleOf(a) * scaleOf(b) * dot(sumOf(a), sumOf(b)),

    clear(): void {
      scores.fill(0, taste >>> 2, (taste >>> 2) + width);
    },

    add(item: number, share: number): void {
      const step = share * scaleOf(item);
      for (let k = 0; k < width; k++) scores[(taste >>> 2) + k] += step * memory.f32[(sumOf(item) >>> 2) + k];
    },

    /** How near all items of the spans are to the taste. */
    rank(spans: Uint32Array, spanCount: number, out: WritableAddress): void {
      let at = out >>> 2;
      for (let span = 0; span < spanCount; span++) {
        for (let item = spans[2 * span]; item < spans[2 * span + 1]; item++)
          scores[at++] = scaleOf(item) * dot(taste, sumOf(item));
      }
    },
  };
}
