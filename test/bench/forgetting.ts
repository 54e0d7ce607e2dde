import { RecommenderServiceService, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { rating } from '../support/ratings.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { appendRatings } from './journals.ts';
import type { Report } from './report.ts';
import { readCpuTimes, withServer } from './server.ts';

/** How long ForgetUser takes for someone who has rated much, and what calls beside it notice. */

const part = 'forgetting';
const OTHERS = 500_000;
/** Ratings of each of them. */
const EACH = 100;
const THEIRS = 100_000;
const GONE = 'gone';
const BATCH = 5000;
const CALLS = 500;
const POPULARITY = { name: 'popularity', plugin: 'popularity' };
const MODELS: Readonly<Record<string, ConfigInput['models']>> = {
  popularity: [POPULARITY],
  'mf as well': [POPULARITY, { name: 'mf', plugin: 'mf' }],
};

export async function benchForgetting(report: Report): Promise<void> {
  report.heading(`ForgetUser: one with ${THEIRS} ratings, others with ${OTHERS}`);
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  for (const [name, models] of Object.entries(MODELS))
    await withServer({ models }, (server) => forgetOne(report, name, blast, server));
}

async function forgetOne(report: Report, models: string, blast: Blast, server: ServerProcess): Promise<void> {
  await server.stop();
  await appendRatings(server.data, OTHERS, OTHERS / EACH);
  await server.start();
  const { client } = server;
  for (let from = 0; from < THEIRS; from += BATCH)
    await client.rate(Array.from({ length: BATCH }, (_, n) => rating(GONE, `${from + n}`, 1 + (n % 5))));
  const messages = Array.from({ length: CALLS }, (_, n) => {
    const subject = { $case: 'userId', value: `${n}` } as const;
    return RecommendRequest.encode(RecommendRequest.fromPartial({ subject })).finish();
  });
  const { path } = RecommenderServiceService.recommend;
  const ask = async () =>
    (await blast.run({ address: server.address, path, messages, calls: CALLS, inFlight: 1 })).p99Us;
  await ask();
  const idle = await ask();
  const began = { ms: performance.now(), cpu: readCpuTimes(server) };
  let seconds: number | undefined;
  const forgetting = client.forgetUser(GONE).then(() => {
    seconds = (performance.now() - began.ms) / 1000;
  });
  const busy: number[] = [];
  while (seconds === undefined) busy.push(await ask());
  await forgetting;
  const add = (name: string, value: number, unit: string) =>
    report.add({ part, name: `${models}: ${name}`, value, unit });
  add('ForgetUser', seconds, 's');
  const { learner, serving } = readCpuTimes(server);
  add('CPU of the learner', learner - began.cpu.learner, 's');
  // Of threads that have ended nothing is told: these are checkpoints and the search of the journal.
  add('CPU of the thread that answers, with the calls beside', serving - began.cpu.serving, 's');
  add('p99 of Recommend, idle', idle, 'us');
  add('p99 of Recommend meanwhile, at worst', Math.max(...busy), 'us');
}
