import { RecommenderServiceService, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { type Ratings, readMovieLensSmall } from '../data.ts';
import type { Client } from '../support/client.ts';
import { rating } from '../support/ratings.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { ofRounds, type Report } from './report.ts';
import { readCpuTimes, withServer } from './server.ts';

/** What exploring costs: Recommend by a model that draws its lists beside one that ranks as it does, in turn. */

const part = 'exploring';
const ROUNDS = 20;
const CALLS = 1000;
const IN_FLIGHT = 16;
/** Lists that are shown, and clicked on, before. */
const SHOWN = 2000;

const bandit = (policy: string) => ({ name: policy, plugin: 'bandit', config: { policy } });
const MODELS = [
  { name: 'mf', plugin: 'mf', config: {} },
  { name: 'popularity', plugin: 'popularity', config: {} },
  { name: 'epsilon-greedy', plugin: 'epsilon-greedy', config: { model: 'mf' } },
  bandit('thompson'),
  bandit('linear-thompson'),
  bandit('linucb'),
];
/** Each with the plain model beside it. */
const PAIRS = [
  ['epsilon-greedy', 'mf'],
  ['thompson', 'popularity'],
  ['linear-thompson', 'mf'],
  ['linucb', 'mf'],
] as const;

export async function benchExploring(report: Report): Promise<void> {
  report.heading('Exploring models beside plain ones, on ml-latest-small');
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  const ratings = readMovieLensSmall();
  const kinds = { view: { exposure: true }, click: {} };
  await withServer({ rating: { min: 0.5, max: 5 }, kinds, models: MODELS }, async (server) => {
    await rateAll(server.client, encodeRatings(ratings, { batch: 1000 }), IN_FLIGHT);
    await showLists(server.client, ratings);
    for (const [model, beside] of PAIRS) await benchPair(report, blast, server, ratings, model, beside);
  });
}

async function showLists(client: Client, { user }: Ratings): Promise<void> {
  const users = [...new Set(user)].map(String);
  for (let n = 0; n < SHOWN; n++) {
    const userId = users[n % users.length];
    const { items } = await client.recommend(userId, { model: 'thompson' });
    const events = items.map(({ itemId }) => rating(userId, itemId, undefined, { kind: 'view' }));
    const clicks = items.slice(0, n % 2).map(({ itemId }) => rating(userId, itemId, undefined, { kind: 'click' }));
    await client.rate([...events, ...clicks]);
  }
}

async function benchPair(
  report: Report,
  blast: Blast,
  server: ServerProcess,
  ratings: Ratings,
  model: string,
  beside: string,
): Promise<void> {
  const byWall: number[] = [];
  const byCpu: number[] = [];
  const requests = { own: requestsOf(ratings, model), plain: requestsOf(ratings, beside) };
  for (let round = 0; round <= ROUNDS; round++) {
    const plain = await measure(blast, server, requests.plain);
    const own = await measure(blast, server, requests.own);
    // In the first round the server still warms up.
    if (round === 0) continue;
    byWall.push(own.seconds / plain.seconds);
    byCpu.push(own.cpuUs / plain.cpuUs);
  }
  report.add({ part, name: `${model}: times ${beside}`, ...ofRounds(byWall), unit: '', target: { atMost: 2 } });
  if (!byCpu.some(Number.isNaN))
    report.add({ part, name: '  by CPU of the thread that answers', ...ofRounds(byCpu), unit: '' });
}

async function measure(blast: Blast, server: ServerProcess, messages: Uint8Array[]) {
  const { path } = RecommenderServiceService.recommend;
  const before = readCpuTimes(server).serving;
  const { seconds } = await blast.run({ address: server.address, path, messages, calls: CALLS, inFlight: IN_FLIGHT });
  return { seconds, cpuUs: ((readCpuTimes(server).serving - before) / CALLS) * 1e6 };
}

function requestsOf({ user }: Ratings, model: string): Uint8Array[] {
  const users = [...new Set(user)].map(String);
  return Array.from({ length: CALLS }, (_, n) => {
    const subject = { $case: 'userId', value: users[n % users.length] } as const;
    return RecommendRequest.encode(RecommendRequest.fromPartial({ subject, model })).finish();
  });
}
