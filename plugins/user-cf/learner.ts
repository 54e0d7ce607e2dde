import type { LearnContext, Learner, Rated, WritableAddress } from '../contract/index.ts';
import { pairs } from './pairs.ts';
import type { Config, Tables } from './tables.ts';
import { view } from './view.ts';

/** The smallest steps of biases: users change, items hardly. */
const USER_FLOOR = 0.05;
const ITEM_FLOOR = 0.01;
/** A bias says no more than the scale is wide. */
const BIAS_MAX = 4;
/** Of so many ratings, the latest, a bias is learned anew when one is taken back. */
const RELEARNED = 500;

export function learner(context: LearnContext<Config, Tables, unknown>): Learner {
  const { config, tables, memory, history } = context;
  const { base } = view(config, tables, memory);
  const { obtainRow, meet, clear } = pairs(context);
  const { f64 } = memory;
  const sum = tables.model.column('sum')(0) >>> 3;
  const weights = tables.model.column('weight')(0) >>> 3;
  const userBias = tables.users.column('bias');
  const itemBias = tables.items.column('bias');

  const average = ({ value, weight }: Rated, sign: 1 | -1) => {
    f64[sum] += sign * weight * (value - 3);
    f64[weights] += sign * weight;
  };

  /** b += s w e, after n ratings. Both biases of a rating together take away the whole error at most. */
  function step(bias: WritableAddress, n: number, floor: number, weight: number, error: number): void {
    const moved = f64[bias >>> 3] + Math.min(0.5, weight * Math.max(floor, 1 / (n + 5))) * error;
    f64[bias >>> 3] = Math.max(-BIAS_MAX, Math.min(BIAS_MAX, moved));
  }

  /** Learns a bias from what is left; the other side is only read. */
  function relearn(bias: WritableAddress, count: number, floor: number, ratingOf: (n: number) => number): void {
    f64[bias >>> 3] = 0;
    const first = Math.max(0, count - RELEARNED);
    for (let n = first; n < count; n++) {
      const rating = ratingOf(n);
      const error = history.value(rating) - base(history.user(rating), history.item(rating));
      step(bias, n - first, floor, history.weight(rating), error);
    }
  }

  return {
    learn(event) {
      const { user, item, value, weight, previous } = event;
      const expected = base(user, item);
      const error = value - expected;
      if (history.userCount(user) > 0) obtainRow(user);
      if (previous) meet(event, weight * error - previous.weight * (previous.value - expected), 0);
      else meet(event, weight * error, 1);
      step(userBias(user), history.userCount(user), USER_FLOOR, weight, error);
      step(itemBias(item), history.itemCount(item), ITEM_FLOOR, weight, error);
      average(event, 1);
      if (previous) average(previous, -1);
    },

    retract(event) {
      const { user, item, value, weight } = event;
      average(event, -1);
      relearn(userBias(user), history.userCount(user), USER_FLOOR, (n) => history.ofUser(user, n));
      relearn(itemBias(item), history.itemCount(item), ITEM_FLOOR, (n) => history.ofItem(item, n));
      meet(event, -weight * (value - base(user, item)), -1);
      if (history.userCount(user) === 0) clear(user);
    },
  };
}
