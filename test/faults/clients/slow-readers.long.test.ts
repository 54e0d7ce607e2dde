import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  RateStreamRequest,
  RecommendBatchRequest,
  RecommenderServiceService,
} from '../../../proto/gen/accrete/v1/recommender.ts';
import { ExportRatingsRequest, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';
import type { Client } from '../../support/client.ts';
import { randomNumbers, rating } from '../../support/ratings.ts';
import { pluginPath } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';

/** Clients that ask for much and read nothing: the server keeps little for them, and nobody else waits. */

const MIB = 2 ** 20;
/** What all of them together may cost, besides what is learned. */
const GROWTH_MIB = 200;
const BATCH = 10_000;
const MODELS = Array.from({ length: 8 }, (_, n) => ({ name: `mean-${n}`, plugin: pluginPath('mean') }));
const skip = process.platform !== 'linux' && 'memory is read in /proc';
const server = await ServerProcess.start({ after }, { models: MODELS, memory: { budgetMiB: 1024 } });

const random = randomNumbers(1);
const batch = Array.from({ length: BATCH }, () =>
  rating(`user-${Math.floor(random() * 2000)}`, `item-${Math.floor(random() * 1000)}`, 1 + Math.floor(random() * 5)),
);
for (let n = 0; n < 5; n++) await server.client.rate(batch);

function residentMiB(): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8')) ?? [];
  return (Number(kib) * 1024) / MIB;
}

/** Ends, cut off, when the returned function is called. */
type Lazy = (client: Client) => () => void;

const READERS: Readonly<Record<string, Lazy>> = {
  'of a stream of ratings with predictions': (client) => {
    const { call } = client.rateStream();
    call.pause();
    call.on('error', () => {});
    const request = RateStreamRequest.fromPartial({
      ratings: batch,
      returnPredictions: MODELS.map(({ name }) => name),
    });
    const write = () => {
      for (let n = 0; n < 20 && call.write(request); n++);
    };
    write();
    call.on('drain', write);
    return () => call.cancel();
  },
  'of a batch of recommendations': (client) => {
    const userIds = Array.from({ length: 10_000 }, (_, n) => `user-${n % 2000}`);
    const request = RecommendBatchRequest.fromPartial({ userIds, pageSize: 1000, includeSeen: true });
    const call = client.watch(RecommenderServiceService.recommendBatch, request).pause();
    call.on('error', () => {});
    return () => call.cancel();
  },
  'of an export': (client) => {
    const call = client.watch(UserServiceService.exportRatings, ExportRatingsRequest.create()).pause();
    call.on('error', () => {});
    return () => call.cancel();
  },
};

for (const [name, read] of Object.entries(READERS)) {
  test(`slow readers ${name}`, { skip, timeout: 120_000 }, async (t) => {
    const waits: number[] = [];
    const measure = async (forMs: number) => {
      waits.length = 0;
      for (const endMs = performance.now() + forMs; performance.now() < endMs; await sleep(5)) {
        const startMs = performance.now();
        await server.client.recommend('user-1');
        waits.push(performance.now() - startMs);
      }
    };
    await measure(300);
    const before = residentMiB();
    const ends = Array.from({ length: 4 }, () => read(server.connect()));
    // At first there is work; then all of them wait for their clients.
    await measure(2000);
    const grown = residentMiB() - before;
    await measure(300);
    const median = waits.toSorted((one, other) => one - other)[Math.floor(waits.length / 2)];
    t.diagnostic(`${grown.toFixed(0)} MiB more; meanwhile a recommendation takes ${median.toFixed(1)} ms`);
    assert((await server.client.rate([rating('ann', 'matrix', 3)])).acceptedCount === 1);
    for (const end of ends) end();
    assert(grown < GROWTH_MIB, `the server has grown by ${grown} MiB`);
    assert(median < 100, `a recommendation takes ${median} ms`);
  });
}
