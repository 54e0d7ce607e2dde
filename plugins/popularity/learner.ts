import {
  exp2,
  exponentOf,
  type KindEvent,
  type LearnContext,
  type Learner,
  NO_ROW,
  powerOfTwo,
  type Rated,
  type RatingEvent,
} from '../contract/index.ts';
import type { PopularityConfig } from './config.ts';
import { halvingsPerSecond, type PopularityTables } from './tables.ts';

/** One that carries a value was counted as the rating that it set; who is shown an item has not asked for it. */
const counts = ({ value, exposure }: KindEvent) => value === undefined && !exposure;

type Context = LearnContext<PopularityConfig, PopularityTables, unknown>;

/** A sum that shrinks by more than 2^20 when a rating is taken out of it has lost too many of its digits. */
const SHIFT_MAX = 20;

export function learner({ config, tables, memory, history, events }: Context): Learner {
  const rate = halvingsPerSecond(config);
  const { f64: doubles } = memory;
  const mantissaOf = tables.items.column('mantissa');
  const exponentAt = tables.items.column('exponent');

  /** C += sign w 2^(t/H), on the larger of the two exponents. */
  function add(item: number, sign: 1 | -1, weight: number, time: number): void {
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

  /** Takes a part out of C, which is summed up anew, less the rating of `editor`, when its digits are gone with it. */
  function remove(item: number, editor: number, { weight, time }: Pick<Rated, 'weight' | 'time'>): void {
    if (weight === 0) return;
    const mantissa = mantissaOf(item) >>> 3;
    const exponent = exponentAt(item) >>> 3;
    const before = doubles[exponent];
    add(item, -1, weight, time);
    if (doubles[mantissa] > 0 && before - doubles[exponent] <= SHIFT_MAX) return;
    doubles[mantissa] = 0;
    doubles[exponent] = 0;
    for (let n = 0; n < history.itemCount(item); n++) {
      const row = history.ofItem(item, n);
      if (history.user(row) !== editor) add(item, 1, history.weight(row), history.time(row));
    }
    for (let n = 0; n < events.itemCount(item); n++) {
      const row = events.ofItem(item, n);
      if (Number.isNaN(events.value(row)) && !events.exposure(row)) add(item, 1, events.weight(row), events.time(row));
    }
  }

  return {
    learn({ user, item, weight, time, previous }: RatingEvent): void {
      if (previous) remove(item, user, previous);
      add(item, 1, weight, time);
    },

    retract(event: RatingEvent): void {
      remove(event.item, NO_ROW, event);
    },

    learnEvent(event: KindEvent): void {
      if (counts(event)) add(event.item, 1, event.weight, event.time);
    },

    retractEvent(event: KindEvent): void {
      if (counts(event)) remove(event.item, NO_ROW, event);
    },
  };
}
