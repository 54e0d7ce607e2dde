import { find100k, type Ratings } from '../data.ts';
import { createIsolated } from '../support/isolated.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { ofRounds, type Report } from './report.ts';
import { DEFAULT_MODEL, readCpuTimes, SHIPPED, withServer } from './server.ts';

/**
 * What isolated arms cost whoever rates: a server that has learned ml-100k takes it again, of other users for other items,
 * with and without an experiment whose two arms have worlds of their own. In turn, each in a process of its own.
 */

const ROUNDS = 3;
const BATCH = 1000;
const IN_FLIGHT = 64;
const ARMS = [
  ['control', DEFAULT_MODEL],
  ['same', DEFAULT_MODEL],
] as const;

interface Round {
  readonly perSecond: number;
  readonly learnerUs: number;
  /** Of making the experiment: in seconds, and in MiB that its arms hold then. */
  readonly startSeconds: number;
  readonly startMiB: number;
}

export async function benchIsolated(report: Report): Promise<void> {
  const { skip, ratings } = find100k();
  report.heading('Isolated arms: ratings a second of ml-100k, and what an experiment takes at its start');
  if (!ratings) return report.note(String(skip));
  const rounds: { readonly [name: string]: Round[] } = { 'no experiment': [], 'two isolated arms': [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const [n, of] of Object.values(rounds).entries())
      await withServer({ models: SHIPPED }, async (server) => of.push(await measure(server, ratings, n === 1)));
  for (const [name, of] of Object.entries(rounds)) {
    const add = (part: string, unit: string, value: (round: Round) => number) =>
      report.add({ part: 'isolated', name: part, ...ofRounds(of.map(value)), unit });
    add(name, 'ratings/s', ({ perSecond }) => perSecond);
    add('  CPU of the learner', 'us/rating', ({ learnerUs }) => learnerUs);
    if (of[0].startMiB === 0) continue;
    add('  making it', 's', ({ startSeconds }) => startSeconds);
    add('  held by its arms', 'MiB', ({ startMiB }) => startMiB);
  }
}

async function measure(server: ServerProcess, ratings: Ratings, isolated: boolean): Promise<Round> {
  await rateAll(server.client, encodeRatings(ratings, { batch: BATCH }), IN_FLIGHT);
  const beganMs = performance.now();
  const made = isolated ? await createIsolated(server.client, ARMS) : undefined;
  const startSeconds = (performance.now() - beganMs) / 1000;
  const requests = encodeRatings(ratings, { batch: BATCH, prefix: 'other-' });
  const before = readCpuTimes(server);
  const startMs = performance.now();
  await rateAll(server.client, requests, IN_FLIGHT);
  const seconds = (performance.now() - startMs) / 1000;
  const learnerUs = ((readCpuTimes(server).learner - before.learner) / ratings.count) * 1e6;
  const startMiB = Number(made?.plan?.bytes ?? 0) / 2 ** 20;
  return { perSecond: ratings.count / seconds, learnerUs, startSeconds, startMiB };
}
