import {
  exp2,
  exponentOf,
  type LearnContext,
  type Learner,
  powerOfTwo,
  type Rated,
  type RatingEvent,
} from '../contract/index.ts';
import type { PopularityConfig } from './config.ts';
import { halvingsPerSecond, type PopularityTables } from './tables.ts';

export function learner({
  config,
  tables,
  memory,
}: LearnContext<PopularityConfig, PopularityTables, unknown>): Learner {
  const rate = halvingsPerSecond(config);
  const { f64: doubles, u32: words } = memory;
  const mantissaOf = tables.items.column('mantissa');
  const exponentAt = tables.items.column('exponent');
  const ratingsOf = tables.items.column('ratings');

  /** C += sign w 2^(t/H), on the larger of the two exponents. */
  function add(item: number, sign: 1 | -1, { weight, time }: Rated): void {
    const mantissa = mantissaOf(item) >>> 3;
    const exponent = exponentAt(item) >>> 3;
    const halvings = rate * time;
    const whole = Math.floor(halvings);
    const part = sign * weight * exp2(halvings - whole);
    const base = doubles[mantissa] === 0 ? whole : Math.max(whole, doubles[exponent]);
    const sum = doubles[mantissa] * powerOfTwo(doubles[exponent] - base) + part * powerOfTwo(whole - base);
    const shift = sum > 0 ? exponentOf(sum) : 0;
    doubles[mantissa] = sum > 0 ? sum * powerOfTwo(-shift) : 0;
    doubles[exponent] = sum > 0 ? base + shift : 0;
  }

  return {
    learn(event: RatingEvent): void {
      if (event.previous) add(event.item, -1, event.previous);
      else words[ratingsOf(event.item) >>> 2]++;
      add(event.item, 1, event);
    },

    retract(event: RatingEvent): void {
      add(event.item, -1, event);
      const ratings = ratingsOf(event.item) >>> 2;
      words[ratings]--;
      if (words[ratings] > 0) return;
      doubles[mantissaOf(event.item) >>> 3] = 0;
      doubles[exponentAt(event.item) >>> 3] = 0;
    },
  };
}
