import { CatalogServiceService, UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import { RecommenderServiceService, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { type Ratings, readMovieLensSmall, readMovies } from '../data.ts';
import { randomNumbers } from '../support/ratings.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { ofRounds, type Report } from './report.ts';
import { readCpuTimes, requireConfigHash, withServer } from './server.ts';

/** What the options of Recommend cost: each beside the plain call for the same users, in turn, as calls a second. */

const ROUNDS = 5;
const CALLS = 4000;
const IN_FLIGHT = 32;
const SESSION_ITEMS = 5;
const SEED = 1;
const TARGET = { atMost: 2 };

type More = (draw: () => number, items: readonly string[]) => Partial<RecommendRequest>;

const pick = (draw: () => number, items: readonly string[]) => items[Math.floor(draw() * items.length)];

const OPTIONS: readonly { readonly name: string; readonly more: More; readonly bound: boolean }[] = [
  {
    name: 'item_id',
    more: (draw, items) => ({ subject: { $case: 'itemId', value: pick(draw, items) } }),
    bound: true,
  },
  {
    name: `session of ${SESSION_ITEMS}`,
    more: (draw, items) => {
      const itemIds = Array.from({ length: SESSION_ITEMS }, () => pick(draw, items));
      return { subject: { $case: 'session', value: { itemIds } } };
    },
    bound: true,
  },
  {
    name: 'filter, always the same',
    more: () => ({ filter: 'categories:"Drama" AND attributes.year >= 1990' }),
    bound: true,
  },
  {
    name: 'filter, each time another one',
    more: (draw) => ({ filter: `categories:"Drama" AND attributes.year >= ${1900 + 120 * draw()}` }),
    bound: true,
  },
  { name: 'diversity', more: () => ({ diversity: 0.5 }), bound: true },
  { name: 'explain', more: () => ({ explain: true }), bound: false },
];

export async function benchOptions(report: Report): Promise<void> {
  report.heading(
    'Options of Recommend beside the plain call, of a fresh server, on ml-latest-small with its catalogue',
  );
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  const ratings = readMovieLensSmall();
  await withServer({ rating: { min: 0.5, max: 5 } }, (server) => benchAll(report, blast, server, ratings));
}

async function benchAll(report: Report, blast: Blast, server: ServerProcess, ratings: Ratings): Promise<void> {
  await rateAll(server.client, encodeRatings(ratings, { batch: 1000 }), IN_FLIGHT);
  await server.client.call(CatalogServiceService.upsertItems, catalogue());
  const configHash = await requireConfigHash(server);
  const part = 'options';
  const plain = requestsOf(ratings, () => ({}));
  for (const { name, more, bound } of OPTIONS) {
    const messages = requestsOf(ratings, more);
    const byWall: number[] = [];
    const byCpu: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const [one, other] = [await measure(blast, server, plain), await measure(blast, server, messages)];
      // In the first round the server still warms up.
      if (round === 0) continue;
      byWall.push(one.perSecond / other.perSecond);
      byCpu.push(other.cpuUs / one.cpuUs);
    }
    const target = bound ? TARGET : undefined;
    report.add({ part, name: `${name}: times the plain call`, ...ofRounds(byWall), unit: '', target, configHash });
    if (!byCpu.some(Number.isNaN))
      report.add({ part, name: '  by CPU of the thread that answers', ...ofRounds(byCpu), unit: '', configHash });
  }
}

async function measure(blast: Blast, server: ServerProcess, messages: Uint8Array[]) {
  const { path } = RecommenderServiceService.recommend;
  const before = readCpuTimes(server).serving;
  const { calls, seconds } = await blast.run({
    address: server.address,
    path,
    messages,
    calls: CALLS,
    inFlight: IN_FLIGHT,
  });
  return { perSecond: calls / seconds, cpuUs: ((readCpuTimes(server).serving - before) / CALLS) * 1e6 };
}

function requestsOf({ user, item }: Ratings, more: More): Uint8Array[] {
  const draw = randomNumbers(SEED);
  const users = [...new Set(user)].map(String);
  const items = [...new Set(item)].map(String);
  return Array.from({ length: CALLS }, () => {
    const subject = { $case: 'userId', value: pick(draw, users) } as const;
    return RecommendRequest.encode(RecommendRequest.fromPartial({ subject, ...more(draw, items) })).finish();
  });
}

function catalogue(): UpsertItemsRequest {
  const items = readMovies().map(({ item, title, genres }) => ({
    itemId: String(item),
    title,
    categories: [...genres],
    attributes: { year: Number(/\((\d{4})\)/.exec(title)?.[1] ?? 0) },
  }));
  return UpsertItemsRequest.fromPartial({ items });
}
