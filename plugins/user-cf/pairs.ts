import { type LearnContext, NO_ROW, type RatingEvent } from '../contract/index.ts';
import { countBefore } from './count-before.ts';
import type { Config, Tables } from './tables.ts';
import { view } from './view.ts';

/** What users have in common, as learning writes it. */
export function pairs({ config, tables, memory, history, append, touch }: LearnContext<Config, Tables, unknown>) {
  const { base, rowOf, placeOf } = view(config, tables, memory);
  const { f32, u32 } = memory;
  const pageOf = tables.users.column('page');
  const keyOf = tables.neighbours.column('key');
  const commonOf = tables.neighbours.column('common');
  const productOf = tables.neighbours.column('product');
  const userBias = tables.users.column('bias');

  /** Changes C of what a row keeps of a neighbour by `product`, and n by `more`. */
  function change(row: number, neighbour: number, product: number, more: number): void {
    const place = placeOf(neighbour);
    const key = (keyOf(row) >>> 2) + place;
    const mine = u32[key] === neighbour + 1;
    if (!mine && more <= 0) return;
    const common = (commonOf(row) >>> 2) + place;
    const sum = (productOf(row) >>> 2) + place;
    if (mine || u32[key] === 0) {
      u32[key] = neighbour + 1;
      u32[common] += more;
      f32[sum] += product;
    } else {
      // Whoever comes upon another one takes an item away from that, and the place is free when none is left.
      f32[sum] *= 1 - 1 / u32[common];
      u32[common]--;
    }
    if (u32[common] > 0) return;
    u32[key] = 0;
    f32[sum] = 0;
  }

  return {
    /** Gives a row of neighbours to a user who has none. */
    obtainRow(user: number): void {
      const page = pageOf(user) >>> 2;
      if (u32[page] === 0) u32[page] = 1 + append('neighbours');
    },

    /**
     * Tells those who rated the item shortly before and after, that w e of this rating changed by `residual`: the user
     * keeps those before, those after keep the user. `more`: of the items that they have in common.
     */
    meet({ user, item, order, previous }: RatingEvent, residual: number, more: -1 | 0 | 1): void {
      const place = countBefore(history, history.itemCount(item), order, (n) => history.ofItem(item, n));
      const last = Math.min(history.itemCount(item), place + config.raters + (previous ? 1 : 0));
      const own = rowOf(user);
      if (own !== NO_ROW) touch('neighbours', own);
      const expected = base(NO_ROW, item);
      for (let n = Math.max(0, place - config.raters); n < last; n++) {
        const rating = history.ofItem(item, n);
        const other = history.user(rating);
        const row = n < place ? own : rowOf(other);
        if (other === user || row === NO_ROW) continue;
        const product =
          residual * history.weight(rating) * (history.value(rating) - expected - memory.f64[userBias(other) >>> 3]);
        if (n >= place) touch('neighbours', row);
        change(row, n < place ? other : user, product, more);
      }
    },

    /** Nothing is left of the neighbours of someone who has no ratings. */
    clear(user: number): void {
      const row = rowOf(user);
      if (row === NO_ROW) return;
      touch('neighbours', row);
      for (const column of [keyOf, commonOf, productOf])
        u32.fill(0, column(row) >>> 2, (column(row) >>> 2) + config.neighbours);
    },
  };
}
