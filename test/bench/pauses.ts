import { setTimeout as sleep } from 'node:timers/promises';
import { RateStreamRequest, RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../support/client.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { flushTimes } from './appends.ts';
import { appendRatings } from './journals.ts';
import { ofRounds, type Report } from './report.ts';
import { requireConfigHash, withServer } from './server.ts';

/**
 * What callers notice of a checkpoint: the time that a Rate of one rating takes, one at a time, beside a steady stream of
 * others; with a checkpoint and without, in turn.
 */

const part = 'durability';
const USERS = 1_000_000;
const RATINGS = 1_500_000;
const ROUNDS = 3;
const QUIET_MS = 3000;
const STREAM = { batch: 1000, everyMs: 50 };
const NEVER = { everyEvents: 0, everyMiB: 0, everySeconds: 0 };

export async function benchPauses(report: Report): Promise<void> {
  report.heading('Rate of one rating, one at a time, beside 20,000 ratings a second, with a checkpoint and without');
  const models = [{ name: 'mf', plugin: 'mf', config: { base: 'biases', ranking: 'taste', replay: { count: 0 } } }];
  await withServer({ models, checkpoint: NEVER }, async (server) => {
    await server.stop();
    await appendRatings(server.data, RATINGS, USERS);
    await server.start();
    await measure(report, server);
  });
}

async function measure(report: Report, server: ServerProcess): Promise<void> {
  const configHash = await requireConfigHash(server, 'mf');
  const over = new AbortController();
  const streaming = stream(server.connect(), over.signal);
  const [quiet, busy, megabytes, seconds, slower]: number[][] = [[], [], [], [], []];
  const flushes = await flushTimes(server.data);
  for (let round = 0; round < ROUNDS; round++) {
    const without = await probe(server.client, sleep(QUIET_MS));
    const saving = server.connect().createCheckpoint();
    const during = await probe(server.client, saving);
    const { checkpoint } = await saving;
    flushes.push(...(await flushTimes(server.data)));
    quiet.push(...without);
    busy.push(...during);
    megabytes.push(Number(checkpoint?.bytes) / 2 ** 20);
    seconds.push(Number(checkpoint?.duration?.seconds) + (checkpoint?.duration?.nanos ?? 0) / 1e9);
    slower.push(quantile(during, 0.99) / quantile(without, 0.99));
  }
  over.abort();
  await streaming;
  const add = (name: string, value: number, unit: string, more = {}) =>
    report.add({ part, name, value, unit, configHash, ...more });
  add('the first checkpoint, whole', megabytes[0], 'MiB');
  add('  it took', seconds[0], 's');
  report.add({
    part,
    name: 'those after it, of what changed',
    ...ofRounds(megabytes.slice(1)),
    unit: 'MiB',
    configHash,
  });
  report.add({ part, name: '  they took', ...ofRounds(seconds.slice(1)), unit: 's', configHash });
  add('a write of 4 MiB and its way to the disk, median', quantile(flushes, 0.5), 'ms');
  add('  the longest', quantile(flushes, 1), 'ms');
  for (const [name, times] of [
    ['Rate without a checkpoint', quiet],
    ['Rate while one is written', busy],
  ] as const) {
    add(`${name}, p50 of ${times.length}`, quantile(times, 0.5), 'ms');
    add('  p99', quantile(times, 0.99), 'ms');
    if (times === quiet) add('  the longest', quantile(times, 1), 'ms');
  }
  const atMost = quantile(quiet, 0.5) + Math.max(2 * quantile(quiet, 0.99), quantile(flushes, 1));
  add('  the longest', quantile(busy, 1), 'ms', { target: { atMost } });
  report.add({ part, name: '  p99, times that without', ...ofRounds(slower), unit: '', configHash });
}

/** Milliseconds that each call took until `end`. */
async function probe(client: Client, end: Promise<unknown>): Promise<number[]> {
  let isOver = false;
  const ended = end.then(() => {
    isOver = true;
  });
  const times: number[] = [];
  const draw = randomNumbers(1);
  while (!isOver) {
    const beganMs = performance.now();
    await client.rate([rating(`${Math.floor(draw() * USERS)}`, `${Math.floor(draw() * 20_000)}`, 3)]);
    times.push(performance.now() - beganMs);
  }
  await ended;
  return times;
}

/** Ratings of users drawn evenly, at a steady pace. */
async function stream(client: Client, over: AbortSignal): Promise<void> {
  const draw = randomNumbers(7);
  const rates = client.open(RecommenderServiceService.rateStream);
  while (!over.aborted) {
    const ratings = Array.from({ length: STREAM.batch }, () =>
      rating(`${Math.floor(draw() * USERS)}`, `${Math.floor(draw() * 20_000)}`, 1 + Math.floor(5 * draw())),
    );
    rates.send(RateStreamRequest.fromPartial({ ratings }));
    await Promise.all([rates.next(), sleep(STREAM.everyMs)]);
  }
  await rates.finish();
}

export function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}
