import { RateRequest, RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { find100k, type Ratings } from '../data.ts';
import { batchesOf } from '../support/ratings.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { type Figure, ofRounds, type Report } from './report.ts';
import { findMissingRiver, RIVER, type RiverRun, runRiver } from './river.ts';
import { type CpuTimes, DEFAULT_MODEL, readCpuTimes, requireConfigHash, SHIPPED, withServer } from './server.ts';

/**
 * How fast ratings are taken: durable, learned and answered, wire and disk included, beside river's BiasedMF in its own
 * process. In every round the server is a new process with an empty store.
 */

const ROUNDS = 5;
const BATCHES = [500, 1000, 2000];
/** Ratings under way: what the server appends while it learns, and more that waits. */
const RATINGS_IN_FLIGHT = 64_000;
const UNARY_CALLS = 5000;
const TIMES_RIVER = 3;

interface Variant {
  readonly label: string;
  readonly models: typeof SHIPPED;
  /** Whose configuration it is. */
  readonly model: string;
}

const CONFIG = { base: 'biases', ranking: 'taste', k: 64, replay: { count: 0 } };
const PLAIN: Variant = {
  label: 'plain mf k=64 without replay',
  models: [{ name: 'mf', plugin: 'mf', config: CONFIG }],
  model: 'mf',
};
const FRESH: Variant = { label: 'a fresh server', models: SHIPPED, model: DEFAULT_MODEL };

interface Round {
  readonly perSecond: number;
  /** CPU microseconds for a rating. */
  readonly cpuUs: CpuTimes;
}

interface Rounds {
  /** The first ratings that a new process takes. */
  readonly first: Round[];
  /** The same ratings of other users for other items, right after. */
  readonly second: Round[];
  configHash: string;
}

export async function benchIngest(report: Report): Promise<void> {
  const { skip, ratings } = find100k();
  report.heading(`Ingestion of ml-100k: ratings a second, durable, learned and answered`);
  if (!ratings) return report.note(String(skip));
  const missing = findMissingRiver();
  if (missing) report.note(`the server's figures stand alone: ${missing}`);
  await besideRiver(report, ratings, !missing);
  await fresh(report, ratings);
  await oneByOne(report, ratings);
}

/** River and the server in turn, for as many rounds. */
async function besideRiver(report: Report, ratings: Ratings, withRiver: boolean): Promise<void> {
  const part = 'ingest';
  const river: RiverRun[] = [];
  const byBatch = new Map(BATCHES.map((batch) => [batch, noRounds()]));
  for (let round = 0; round < ROUNDS; round++) {
    if (withRiver) river.push(runRiver(ratings));
    for (const [batch, rounds] of byBatch) await serverRound(ratings, PLAIN, batch, rounds);
  }
  if (withRiver) addRiver(report, river);
  for (const [batch, rounds] of byBatch) {
    addRounds(report, `${PLAIN.label}, batches of ${batch}`, rounds);
    if (!withRiver) continue;
    for (const [name, those] of [
      ['  times river, from the first rating on', rounds.first],
      ['  times river, after as many', rounds.second],
    ] as const) {
      const ratios = those.map(({ perSecond }, round) => perSecond / rateOf(river[round]));
      const { configHash } = rounds;
      report.add({ part, name, ...ofRounds(ratios), unit: '', target: { atLeast: TIMES_RIVER }, configHash });
    }
  }
}

async function fresh(report: Report, ratings: Ratings): Promise<void> {
  const rounds = noRounds();
  for (let round = 0; round < 3; round++) await serverRound(ratings, FRESH, 1000, rounds);
  addRounds(report, `${FRESH.label}, batches of 1000`, rounds);
}

/** Unary calls of one rating each: many in flight for their number, one at a time for how long each takes. */
async function oneByOne(report: Report, ratings: Ratings): Promise<void> {
  const part = 'ingest unary';
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  const { path } = RecommenderServiceService.rate;
  const messages = Array.from(batchesOf(ratings, 0, 2 * UNARY_CALLS, 1), (batch) =>
    RateRequest.encode(RateRequest.fromPartial({ ratings: batch })).finish(),
  );
  await withServer({ models: FRESH.models }, async (server) => {
    const configHash = await requireConfigHash(server, FRESH.model);
    const load = { address: server.address, path, calls: UNARY_CALLS };
    const many = await blast.run({ ...load, messages: messages.slice(0, UNARY_CALLS), inFlight: 64 });
    const each = await blast.run({ ...load, messages: messages.slice(UNARY_CALLS), inFlight: 1 });
    const add = (name: string, value: number, unit: string) => report.add({ part, name, value, unit, configHash });
    add(`${FRESH.label}, Rate of one rating, 64 in flight`, many.calls / many.seconds, 'calls/s');
    add('  one at a time, p50', each.p50Us / 1000, 'ms');
    add('  one at a time, p99', each.p99Us / 1000, 'ms');
  });
}

function addRiver(report: Report, runs: readonly RiverRun[]): void {
  const cpuUs = runs.map(({ cpuSeconds, events }) => (cpuSeconds / events) * 1e6);
  report.add({ part: 'ingest', name: RIVER, ...ofRounds(runs.map(rateOf)), unit: 'ratings/s' });
  report.add({ part: 'ingest', name: '  CPU', ...ofRounds(cpuUs), unit: 'us/rating' });
}

function rateOf({ events, seconds }: RiverRun): number {
  return events / seconds;
}

async function serverRound(ratings: Ratings, variant: Variant, batch: number, rounds: Rounds): Promise<void> {
  await withServer({ models: variant.models }, async (server) => {
    rounds.first.push(await timed(server, ratings, batch, ''));
    rounds.second.push(await timed(server, ratings, batch, 'other-'));
    rounds.configHash = await requireConfigHash(server, variant.model);
  });
}

async function timed(server: ServerProcess, ratings: Ratings, batch: number, prefix: string): Promise<Round> {
  const requests = encodeRatings(ratings, { batch, prefix });
  const before = readCpuTimes(server);
  const startMs = performance.now();
  await rateAll(server.client, requests, Math.ceil(RATINGS_IN_FLIGHT / batch));
  const seconds = (performance.now() - startMs) / 1000;
  const after = readCpuTimes(server);
  const each = (name: keyof CpuTimes) => ((after[name] - before[name]) / ratings.count) * 1e6;
  const cpuUs = { process: each('process'), serving: each('serving'), learner: each('learner') };
  return { perSecond: ratings.count / seconds, cpuUs };
}

function addRounds(report: Report, name: string, { first, second, configHash }: Rounds): void {
  const add = (figure: Omit<Figure, 'part'>) => report.add({ part: 'ingest', configHash, ...figure });
  const rates = (rounds: Round[]) => ({ ...ofRounds(rounds.map(({ perSecond }) => perSecond)), unit: 'ratings/s' });
  add({ name, ...rates(first) });
  add({ name: '  as many again, of other users for other items', ...rates(second) });
  for (const thread of ['process', 'learner', 'serving'] as const) {
    const cpuUs = [...first, ...second].map((round) => round.cpuUs[thread]);
    if (!cpuUs.some(Number.isNaN))
      add({ name: `  CPU of the server, ${thread}`, ...ofRounds(cpuUs), unit: 'us/rating' });
  }
}

function noRounds(): Rounds {
  return { first: [], second: [], configHash: '' };
}
