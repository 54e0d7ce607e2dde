import { HOPE, type Query, type ScoreContext, type Scorer, type WritableAddress } from '../contract/index.ts';
import type { BanditConfig } from './config.ts';
import { Earnings } from './earnings.ts';
import type { BanditTables } from './tables.ts';
import { Taste } from './taste.ts';

type Context = ScoreContext<BanditConfig, BanditTables, unknown>;

/** What is believed of an item's score. */
interface Belief {
  /** For whom, from here on. */
  of(query: Query): void;
  /** Of which item, from here on. */
  look(item: number): void;
  mean(): number;
  /** How far its score is from the mean, at a quantile of a standard normal number. */
  beyond(z: number): number;
}

export function scorer(context: Context): Scorer {
  const { config, scores } = context;
  const { policy, alpha } = config;
  const belief = beliefOf(context);

  /** Scores what is asked at a quantile; undefined: by the mean. */
  function each(z: number | undefined, query: Query, ...[spans, spanCount, out]: Asked): void {
    belief.of(query);
    let at = out >>> 2;
    for (let span = 0; span < spanCount; span++) {
      for (let item = spans[2 * span]; item < spans[2 * span + 1]; item++) {
        belief.look(item);
        scores[at++] = belief.mean() + (z === undefined ? 0 : alpha * belief.beyond(z));
      }
    }
  }

  // Nothing is drawn: its lists are certain, which goes out with them.
  if (policy === 'linucb') return { score: (...asked) => each(1, ...asked), explores: { by: 'epsilon', epsilon: 0 } };
  return {
    score: (...asked) => each(undefined, ...asked),
    explores: {
      by: 'posterior',
      hope: (...asked) => each(HOPE, ...asked),
      quantiles(query, item, z, out) {
        belief.of(query);
        belief.look(item);
        for (let n = 0; n < z.length; n++) out[n] = belief.mean() + alpha * belief.beyond(z[n]);
      },
    },
  };
}

type Asked = [spans: Uint32Array, spanCount: number, out: WritableAddress];

function beliefOf({ config, tables, memory }: Context): Belief {
  const earnings = new Earnings(config, tables, memory);
  if (!('users' in tables)) return beliefInItems(earnings);
  const taste = new Taste(config, tables, memory);
  let [rate, mean, deviation] = [0, 0, 0];
  return {
    of({ user }) {
      rate = earnings.rate;
      taste.of(user);
    },
    look(item) {
      earnings.look(item, rate);
      taste.look(item);
      mean = earnings.mean + taste.mean;
      deviation = Math.sqrt(earnings.variance + rate * taste.spread);
    },
    mean: () => mean,
    beyond: (z) => z * deviation,
  };
}

function beliefInItems(earnings: Earnings): Belief {
  let rate = 0;
  return {
    of() {
      rate = earnings.rate;
    },
    look: (item) => earnings.look(item, rate),
    mean: () => earnings.mean,
    beyond: (z) => earnings.quantile(z) - earnings.mean,
  };
}
