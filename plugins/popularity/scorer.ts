import { eachRun, type ScoreContext, type Scorer } from '../contract/index.ts';
import type { PopularityConfig } from './config.ts';
import { halvingsPerSecond, type PopularityTables } from './tables.ts';

/** The score of an item without ratings: below every other. */
const NOTHING = -1e30;

/**
 * Offers no `session`: what someone looked at does not matter to it, and a stranger's list is `score`'s for `NO_ROW`.
 */
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
  const stride = tables.items.stride >>> 3;

  /** `mantissa`, `exponent`: indexes into the f64 view. `now`: 1 + T/H. */
  const scoreAt = (mantissa: number, exponent: number, now: number) =>
    doubles[mantissa] > 0 ? doubles[exponent] - now + doubles[mantissa] : NOTHING;

  return {
    explain({ time }, item) {
      const value = scoreAt(mantissaOf(item) >>> 3, exponentOf(item) >>> 3, 1 + rate * time);
      return [{ term: 'popularity', value }];
    },

    score({ time }, spans, spanCount, out) {
      const now = 1 + rate * time;
      let at = out >>> 2;
      const scoreRun = (row: number, count: number) => {
        let mantissa = mantissaOf(row) >>> 3;
        let exponent = exponentOf(row) >>> 3;
        for (let n = 0; n < count; n++, mantissa += stride, exponent += stride) {
          scores[at++] = scoreAt(mantissa, exponent, now);
        }
      };
      for (let span = 0; span < spanCount; span++)
        eachRun(tables.items, spans[2 * span], spans[2 * span + 1], scoreRun);
    },
  };
}
