import { NO_ROW, type ScoreContext, type Scorer, type WritableAddress } from '../contract/index.ts';
import type { Config, Tables } from './tables.ts';
import { view } from './view.ts';
import { eachVote, FADE, type Visit } from './votes.ts';

type Asked = [spans: Uint32Array, spanCount: number, out: WritableAddress];

export function scorer({ config, tables, memory, scores, history }: ScoreContext<Config, Tables, unknown>): Scorer {
  const { raters, prior, recent } = config;
  const known = view(config, tables, memory);
  const { base, rowOf, agreement } = known;
  let votes = new Float64Array(0);

  /** Visits the latest of `count` items, the last one first, and how much each says. */
  function eachRecent(count: number, itemAt: (n: number) => number, visit: Visit): void {
    let share = 1;
    for (let n = count - 1; n >= Math.max(0, count - recent); n--, share *= FADE) {
      const item = itemAt(n);
      if (item < tables.items.rows) visit(item, share);
    }
  }
  const eachRated = (user: number, visit: Visit) =>
    eachRecent(history.userCount(user), (n) => history.item(history.ofUser(user, n)), visit);

  /** Ranks by the votes for what `each` visits. */
  function rank(user: number, each: (visit: Visit) => void, [spans, spanCount, out]: Asked): void {
    if (votes.length < tables.items.rows) votes = new Float64Array(2 * tables.items.rows);
    votes.fill(0);
    // What is being written just now may be beyond the end, where nothing is kept.
    const count: Visit = (item, vote) => {
      votes[item] += vote;
    };
    each((item, share) => eachVote(history, known, user, item, share, count));
    let at = out >>> 2;
    for (let span = 0; span < spanCount; span++)
      for (let item = spans[2 * span]; item < spans[2 * span + 1]; item++) scores[at++] = votes[item];
  }

  return {
    predict({ user }, item) {
      const own = rowOf(user);
      let [sum, weights] = [0, prior];
      const count = history.itemCount(item);
      for (let n = Math.max(0, count - raters); n < count; n++) {
        const rating = history.ofItem(item, n);
        const rater = history.user(rating);
        const weight = rater === user ? 0 : history.weight(rating) * agreement(own, rater);
        if (weight === 0) continue;
        sum += weight * (history.value(rating) - base(rater, item));
        weights += Math.abs(weight);
      }
      return base(user, item) + sum / weights;
    },

    score: ({ user }, ...asked) => rank(user, (visit) => eachRated(user, visit), asked),

    session: ({ items }, ...asked) => rank(NO_ROW, (visit) => eachRecent(items.length, (n) => items[n], visit), asked),

    explain({ user }, item) {
      const parts: { item: number; value: number }[] = [];
      eachRated(user, (rated, share) => {
        let value = 0;
        eachVote(history, known, user, rated, share, (other, vote) => {
          if (other === item) value += vote;
        });
        if (value > 0) parts.push({ item: rated, value });
      });
      return parts.sort((a, b) => b.value - a.value);
    },
  };
}
