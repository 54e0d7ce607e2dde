import { type Found, find1mHalf, find100k, findMovieLensSmall, type Ratings } from '../data.ts';
import { type Ranked, RankFigures } from '../evaluation/ranks.ts';
import type { Client } from '../support/client.ts';
import { rating } from '../support/ratings.ts';
import { benchLeaveLastOut } from './leave-last-out.ts';
import type { Report, Target } from './report.ts';
import { requireConfigHash, withServer } from './server.ts';

/**
 * How well a fresh server ranks what comes next, through the wire: before the ratings of a user and a second are sent,
 * Recommend is asked for ten items as of that second. (A page of ratings says in which order its items stood, so none of
 * them is learned before all are ranked.) An item that nobody has rated before is a miss.
 */

const LIST = 10;

interface Case {
  readonly set: string;
  readonly find: () => Found;
  readonly rating: { readonly min: number; readonly max: number };
  readonly hitRate: Target;
  readonly ndcg: Target;
}

const CASES: readonly Case[] = [
  {
    set: 'ml-100k',
    find: find100k,
    rating: { min: 1, max: 5 },
    hitRate: { atLeast: 0.192 },
    ndcg: { atLeast: 0.097 },
  },
  {
    set: 'ml-latest-small',
    find: findMovieLensSmall,
    rating: { min: 0.5, max: 5 },
    hitRate: { atLeast: 0.136 },
    ndcg: { atLeast: 0.073 },
  },
  {
    set: 'ml-1m, timed half',
    find: find1mHalf,
    rating: { min: 1, max: 5 },
    hitRate: { atLeast: 0.228 },
    ndcg: { atLeast: 0.116 },
  },
];

export async function benchRanking(report: Report): Promise<void> {
  for (const { set, find, rating: scale, ...targets } of CASES) {
    report.heading(`Ranking on ${set}: all of a user's ratings of one second ranked, then learned`);
    const { skip, ratings } = find();
    if (!ratings) {
      report.note(String(skip));
      continue;
    }
    await withServer({ rating: scale, evaluation: { rankEvery: 0 } }, async (server) => {
      const configHash = await requireConfigHash(server);
      const { hitRate, ndcg } = await rankAndRate(server.client, ratings);
      const part = `ranking ${set}`;
      report.add({ part, name: 'hit rate at 10', value: hitRate, unit: '', target: targets.hitRate, configHash });
      report.add({ part, name: 'NDCG at 10', value: ndcg, unit: '', target: targets.ndcg, configHash });
    });
  }
  await benchLeaveLastOut(report);
}

async function rankAndRate(client: Client, ratings: Ratings): Promise<Ranked> {
  const known = new Set<number>();
  const figures = new RankFigures();
  for (const places of bySecond(ratings)) {
    const user = ratings.user[places[0]];
    const eventTime = { seconds: BigInt(ratings.time[places[0]]), nanos: 0 };
    if (known.has(user)) {
      const { items } = await client.recommend(`${user}`, { pageSize: LIST, eventTime });
      const order = items.map(({ itemId }) => itemId);
      for (const at of places) {
        const place = order.indexOf(`${ratings.item[at]}`);
        figures.add(place < 0 ? Number.POSITIVE_INFINITY : place);
      }
    }
    known.add(user);
    await client.rate(places.map((at) => rating(`${user}`, `${ratings.item[at]}`, ratings.value[at], { eventTime })));
  }
  return figures.ranked;
}

/** Places of ratings of one user and second together, where the first of them stands. */
function bySecond({ user, time, count }: Ratings): number[][] {
  const groups = new Map<string, number[]>();
  for (let at = 0; at < count; at++) {
    const key = `${user[at]} ${time[at]}`;
    const group = groups.get(key);
    if (group) group.push(at);
    else groups.set(key, [at]);
  }
  return [...groups.values()];
}
