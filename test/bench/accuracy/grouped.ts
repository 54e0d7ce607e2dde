import type { Ratings } from '../../data.ts';
import type { Client } from '../../support/client.ts';
import { rating } from '../../support/ratings.ts';
import { DEFAULT_MODEL, requireConfigHash, withServer } from '../server.ts';
import { listFor, placeIn, predict } from './ask.ts';
import { type Bench, ML_1M, ML_100K, ML_SMALL, type Scale, setsOf } from './cases.ts';
import { errorsOf, ranksOf } from './estimate.ts';
import { PARTS } from './references.ts';

/**
 * What users rate in one second is one page of a list, whose order tells what stood on it. So a fresh server is asked for all
 * of it before any of it is sent: what each would be rated, and ten items, among which an item that nobody rated before is not.
 */
export async function measureGrouped(bench: Bench): Promise<void> {
  const sets = [...setsOf(bench, [ML_100K, ML_SMALL, ML_1M])];
  const total = sets.reduce((sum, { ratings }) => sum + ratings.count, 0);
  let done = 0;
  for (const { set, scale, ratings } of sets) {
    const part = PARTS.grouped(set);
    bench.sheet.report.heading(part);
    await withServer({ rating: scale, evaluation: { rankEvery: 0 } }, async (server) => {
      const found = await walk(server.client, ratings, scale, (n) => bench.advance((done + n) / total));
      const errors = errorsOf(ratings.user, found.squared);
      const ranks = ranksOf(found.rankedUsers, found.places);
      bench.sheet.add(part, DEFAULT_MODEL, { ...errors, ...ranks }, await requireConfigHash(server));
    });
    done += ratings.count;
  }
}

interface Found {
  readonly squared: Float64Array;
  /** Of users with at least one rating before. */
  readonly rankedUsers: readonly number[];
  readonly places: readonly number[];
}

async function walk(
  client: Client,
  ratings: Ratings,
  scale: Scale,
  onLearned: (count: number) => void,
): Promise<Found> {
  const { user, item, value, time } = ratings;
  const known = new Set<number>();
  const squared = new Float64Array(ratings.count);
  const [rankedUsers, places]: number[][] = [[], []];
  let learned = 0;
  for (const page of bySecond(ratings)) {
    const [who, when] = [user[page[0]], time[page[0]]];
    const items = page.map((at) => item[at]);
    const asking = { time: when };
    const [expected, list] = await Promise.all([
      predict(client, who, items, asking),
      known.has(who) ? listFor(client, who, asking) : undefined,
    ]);
    for (const [n, at] of page.entries()) squared[at] = (value[at] - within(scale, expected[n])) ** 2;
    for (const each of list ? items : []) {
      rankedUsers.push(who);
      places.push(placeIn(list ?? [], each));
    }
    known.add(who);
    const eventTime = { seconds: BigInt(when), nanos: 0 };
    await client.rate(page.map((at) => rating(`${who}`, `${item[at]}`, value[at], { eventTime })));
    learned += page.length;
    onLearned(learned);
  }
  return { squared, rankedUsers, places };
}

const within = ({ min, max }: Scale, value: number) => Math.min(max, Math.max(min, value));

/** Places of ratings of one user and second together, where the first of them stands. */
function bySecond({ user, time, count }: Ratings): number[][] {
  const places = Array.from({ length: count }, (_, place) => place);
  return [...Map.groupBy(places, (place) => `${user[place]} ${time[place]}`).values()];
}
