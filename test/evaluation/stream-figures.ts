import { NO_ROW, type Plugin } from '../../plugins/contract/index.ts';
import { Scale } from '../../server/memory/scale.ts';
import type { Ratings } from '../data.ts';
import { Lab } from '../laws/lab.ts';
import { placeOf, type Ranked, RankFigures } from './ranks.ts';
import { type Spent, timed } from './timed.ts';

/** A stream through one model: each rating is predicted, and its item ranked, before it is learned. In process. */

export interface StreamSettings {
  readonly scale: { readonly min: number; readonly max: number };
  /**
   * What is ranked before it is learned: nothing; each event; or, since a page of ratings says in which order its items
   * stood, all events of a user with the same second before any of them is learned.
   */
  readonly ranking: 'none' | 'events' | 'seconds';
  /** Every so many ratings the model is refitted; 0: never. */
  readonly refitEvery?: number;
  readonly budgetMiB?: number;
}

export interface StreamFigures {
  readonly events: number;
  /** On the data's scale, predictions clipped to it; NaN where the model does not predict. */
  readonly rmse: number;
  readonly mae: number;
  /** By ranking: `score`, and every head by its name. */
  readonly ranked: ReadonlyMap<string, Ranked>;
  readonly spent: Spent;
  /** Microseconds of this process in all, the host's work and rankings included: what others run beside does not count. */
  readonly cpu: number;
  /** Bytes of the model's tables, by name. */
  readonly bytes: ReadonlyMap<string, number>;
}

export async function streamFigures(
  plugin: Plugin,
  config: { readonly seed: number },
  ratings: Ratings,
  { scale, ranking, refitEvery = 0, budgetMiB = 3072 }: StreamSettings,
): Promise<StreamFigures> {
  const { plugin: watched, spent } = timed(plugin);
  const lab = new Lab(watched, config, { scale: new Scale(scale.min, scale.max), budgetMiB });
  const heads = ['score', ...Object.keys(lab.model.scorer.heads ?? {})];
  const figures = new Map(heads.map((head) => [head, new RankFigures()]));
  const order = ranking === 'seconds' ? bySecond(ratings) : ratings.time.map((_, n) => n);
  const hidden = new Uint8Array(new Set(ratings.item).size);
  let [squared, absolute] = [0, 0];

  function rank(from: number, to: number): void {
    const [first] = order.slice(from, from + 1);
    const user = lab.userRow(`${ratings.user[first]}`);
    const { byUser } = lab.world.interactions;
    if (user === NO_ROW) return;
    const own = byUser.words.subarray(byUser.pairs(user), byUser.pairs(user) + 2 * byUser.count(user));
    for (let n = 0; n < own.length; n += 2) hidden[own[n]] = 1;
    for (const head of heads) {
      const spans = [0, lab.model.items];
      const time = ratings.time[first];
      const scores = head === 'score' ? lab.score(user, spans, time) : lab.head(head, user, spans, time);
      for (let n = from; n < to; n++) {
        figures.get(head)?.add(placeOf(scores, lab.itemRow(`${ratings.item[order[n]]}`), hidden));
      }
    }
    hidden.fill(0);
  }

  const start = process.cpuUsage();
  for (let from = 0; from < ratings.count; ) {
    let to = from + 1;
    if (ranking === 'seconds') while (to < ratings.count && sameSecond(ratings, order[from], order[to])) to++;
    if (ranking !== 'none') rank(from, to);
    for (; from < to; from++) {
      const n = order[from];
      lab.teach({
        user: `${ratings.user[n]}`,
        item: `${ratings.item[n]}`,
        value: ratings.value[n],
        time: ratings.time[n],
      });
      const error = ratings.value[n] - Math.min(scale.max, Math.max(scale.min, lab.expected));
      squared += error * error;
      absolute += Math.abs(error);
      if (refitEvery > 0 && (from + 1) % refitEvery === 0) for await (const _ of lab.model.refit(1));
    }
  }
  const { user: cpu } = process.cpuUsage(start);
  return {
    events: ratings.count,
    cpu,
    rmse: Math.sqrt(squared / ratings.count),
    mae: absolute / ratings.count,
    ranked: new Map(ranking === 'none' ? [] : [...figures].map(([head, each]) => [head, each.ranked])),
    spent,
    bytes: new Map(lab.model.sizes.map(({ name, bytes }) => [name, bytes])),
  };
}

const sameSecond = ({ user, time }: Ratings, a: number, b: number) => user[a] === user[b] && time[a] === time[b];

/** The places of ratings, all those of a user with the same second together, where the first of them stands. */
function bySecond({ user, time, count }: Ratings): Uint32Array {
  const firsts = new Map<string, number>();
  const first = Uint32Array.from({ length: count }, (_, n) => {
    const key = `${user[n]} ${time[n]}`;
    if (!firsts.has(key)) firsts.set(key, n);
    return firsts.get(key) as number;
  });
  return Uint32Array.from({ length: count }, (_, n) => n).sort((a, b) => first[a] - first[b] || a - b);
}
