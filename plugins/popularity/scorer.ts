import type { ScoreContext, Scorer } from '../contract/index.ts';
import type { PopularityConfig } from './config.ts';
import { halvingsPerSecond, type PopularityTables } from './tables.ts';

/** The score of an item without ratings: below every other. */
const NOTHING = -1e30;

export function scorer({
  config,
  tables,
  memory,
  scores,
}: ScoreContext<PopularityConfig, PopularityTables, unknown>): Scorer {
  const rate = halvingsPerSecond(config);
  const { f64: doubles } = memory;
  const mantissaOf = tables.items.column('mantissa');
  const exponentOf = tables.items.column('exponent');

  return {
    score({ time }, spans, spanCount, out) {
      const now = 1 + rate * time;
      let at = out >>> 2;
      for (let span = 0; span < spanCount; span++) {
        for (let row = spans[2 * span]; row < spans[2 * span + 1]; row++) {
          const mantissa = doubles[mantissaOf(row) >>> 3];
          scores[at++] = mantissa > 0 ? doubles[exponentOf(row) >>> 3] - now + mantissa : NOTHING;
        }
      }
    },
  };
}
