import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { HealthCheckRequest, HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { type Found, find100k, findMovieLensSmall, type Ratings } from '../data.ts';
import { batchesOf, randomNumbers } from '../support/ratings.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast, type Load } from './blast.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { recommendRequests } from './recommend-requests.ts';
import { ofRounds, type Report, type Target } from './report.ts';
import { readCpuTimes, requireConfigHash, withServer } from './server.ts';

/**
 * Recommend beside the health service's Check, which is what a call costs at least, of the same server in turn, while
 * another client rates. Every request is for a user drawn at random.
 */

const ROUNDS = 7;
const CALLS = 10_000;
const IN_FLIGHT = 32;
/** Calls that are sent one at a time, for how long each takes. */
const SINGLE_CALLS = 2000;
const RATE_EVERY_MS = 5;
const SEED = 1;

interface Case {
  readonly set: string;
  readonly find: () => Found;
  readonly rating: { readonly min: number; readonly max: number };
  readonly target: Target;
}

const CASES: readonly Case[] = [
  { set: 'ml-100k, 1,682 items', find: find100k, rating: { min: 1, max: 5 }, target: { atLeast: 0.6 } },
  {
    set: 'ml-latest-small, 9,724 items',
    find: findMovieLensSmall,
    rating: { min: 0.5, max: 5 },
    target: { atLeast: 0.3 },
  },
];

/** Of one round of one method. */
interface Round {
  readonly perSecond: number;
  /** CPU of the thread that answers, for a call; NaN where the system does not tell. */
  readonly cpuUs: number;
  readonly p99Us: number;
  /** Of calls that are sent one at a time. */
  readonly singleP50Us: number;
  readonly singleP99Us: number;
}

const FIGURES = [
  { key: 'perSecond', name: `, ${IN_FLIGHT} in flight`, unit: 'calls/s' },
  { key: 'cpuUs', name: ', CPU of the thread that answers', unit: 'us/call' },
  { key: 'p99Us', name: ', p99', unit: 'us' },
  { key: 'singleP50Us', name: ', one at a time, p50', unit: 'us' },
  { key: 'singleP99Us', name: ', one at a time, p99', unit: 'us' },
] as const;

export async function benchRecommend(report: Report): Promise<void> {
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  for (const each of CASES) {
    report.heading(`Recommend of a fresh server beside the health Check on ${each.set}`);
    const { skip, ratings } = each.find();
    if (!ratings) report.note(String(skip));
    else await withServer({ rating: each.rating }, (server) => benchSet(report, blast, server, each, ratings));
  }
}

async function benchSet(
  report: Report,
  blast: Blast,
  server: ServerProcess,
  { set, target }: Case,
  ratings: Ratings,
): Promise<void> {
  await rateAll(server.client, encodeRatings(ratings, { batch: 1000 }), 32);
  const configHash = await requireConfigHash(server);
  const check = { path: HealthService.check.path, messages: [HealthCheckRequest.encode({ service: '' }).finish()] };
  const recommend = { path: RecommenderServiceService.recommend.path, messages: recommendRequests(ratings, CALLS) };
  const rounds: { readonly check: Round; readonly recommend: Round }[] = [];
  const rater = new Rater(server, ratings);
  for (let round = 0; round <= ROUNDS; round++) {
    const found = { check: await measure(blast, server, check), recommend: await measure(blast, server, recommend) };
    // In the first round the server still warms up.
    if (round > 0) rounds.push(found);
  }
  const rated = await rater.stop();
  const part = `recommend ${set}`;
  const partsOf = (part: (round: (typeof rounds)[number]) => number) => ofRounds(rounds.map(part));
  const perSecond = partsOf((round) => round.recommend.perSecond / round.check.perSecond);
  report.add({
    part,
    name: 'Recommend, as a part of the calls/s of Check',
    ...perSecond,
    unit: '',
    target,
    configHash,
  });
  // Other work on the machine falls on a few rounds of the one or the other; CPU time hardly notices.
  const byCpu = partsOf((round) => round.check.cpuUs / round.recommend.cpuUs);
  const name = '  the same by CPU of the thread that answers';
  if (!Number.isNaN(byCpu.value)) report.add({ part, name, ...byCpu, unit: '', configHash });
  for (const method of ['check', 'recommend'] as const) {
    for (const { key, name, unit } of FIGURES) {
      const values = rounds.map((round) => round[method][key]);
      if (!values.some(Number.isNaN)) report.add({ part, name: method + name, ...ofRounds(values), unit, configHash });
    }
  }
  report.add({ part, name: 'ratings that arrived meanwhile', value: rated, unit: 'ratings', configHash });
}

async function measure(blast: Blast, server: ServerProcess, method: Pick<Load, 'path' | 'messages'>): Promise<Round> {
  const load = { address: server.address, ...method };
  const before = readCpuTimes(server).serving;
  const many = await blast.run({ ...load, calls: CALLS, inFlight: IN_FLIGHT });
  const after = readCpuTimes(server).serving;
  const single = await blast.run({ ...load, calls: SINGLE_CALLS, inFlight: 1 });
  return {
    perSecond: many.calls / many.seconds,
    cpuUs: ((after - before) / CALLS) * 1e6,
    p99Us: many.p99Us,
    singleP50Us: single.p50Us,
    singleP99Us: single.p99Us,
  };
}

/** Rates at a steady pace until it is stopped: edits, so that the number of items stays what it is. */
class Rater {
  readonly #timer: NodeJS.Timeout;
  readonly #calls: Promise<unknown>[] = [];

  constructor({ client }: ServerProcess, ratings: Ratings) {
    const draw = randomNumbers(SEED + 1);
    this.#timer = setInterval(() => {
      const n = Math.floor(draw() * ratings.count);
      const [edit] = batchesOf(ratings, n, n + 1, 1);
      this.#calls.push(client.rate(edit));
    }, RATE_EVERY_MS);
  }

  /** How many ratings were learned; throws when one was not. */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    return (await Promise.all(this.#calls)).length;
  }
}
