import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { EvaluateRequest, EvaluationProtocol } from '../../../proto/gen/accrete/v1/evaluation.ts';
import { RecommendBatchRequest, RecommenderServiceService } from '../../../proto/gen/accrete/v1/recommender.ts';
import { ExportRatingsRequest, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';
import { Client } from '../../support/client.ts';
import { randomNumbers } from '../../support/ratings.ts';
import { TEST_CONFIG } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { Ledger } from '../traffic/ledger.ts';
import { KINDS } from '../traffic/reference.ts';
import { Traffic } from '../traffic/traffic.ts';
import { settle, verifyState } from '../traffic/verify.ts';
import { Cut } from './cut.ts';

/** Clients that vanish without a word leave nothing behind, and take nobody with them. */

const CONFIG = { ...TEST_CONFIG, kinds: KINDS, jobs: { max: 1 } };
const PATIENCE_MS = 20_000;
const server = await ServerProcess.start({ after }, CONFIG);

/** Descriptors that the server has open: connections are some of them. */
const openFiles = () => readdirSync(`/proc/${server.pid}/fd`).length;
const skipWithoutProc = process.platform !== 'linux' && 'open files are counted in /proc';

async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await is())) {
    assert(performance.now() - startMs < PATIENCE_MS, `it took too long until ${what}`);
    await sleep(20);
  }
}

test('raters that vanish amid calls and streams: what they were told is there once', {
  skip: skipWithoutProc,
}, async (t) => {
  await server.client.recommend('other');
  const files = openFiles();
  const ledger = new Ledger('vanishing');
  for (let n = 0; n < 5; n++) {
    const cut = await Cut.before(t, server.address);
    const traffic = new Traffic({ connect: () => new Client(cut.address) }, ledger, randomNumbers(n + 1));
    await sleep(150);
    cut.cut();
    await traffic.done;
  }
  await server.client.recommend('other');
  await until('their connections were closed', () => openFiles() <= files);
  const open = ledger.unknown.length;
  const there = await settle(server.client, ledger);
  t.diagnostic(`${ledger.acknowledgedCount} acknowledged, ${open} open of which ${there} were there`);
  await verifyState(t, server.client, server.data, CONFIG);
});

const request = EvaluateRequest.fromPartial({ protocol: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT });
const userIds = Array.from({ length: 10_000 }, (_, n) => `user-${n % 40}`);
const LONG_CALLS: Readonly<Record<string, (client: Client) => ClientReadableStream<unknown>>> = {
  'an export': (client) => client.watch(UserServiceService.exportRatings, ExportRatingsRequest.create()),
  'an evaluation': (client) => client.watch(RecommenderServiceService.evaluate, request),
  'a batch of recommendations': (client) =>
    client.watch(RecommenderServiceService.recommendBatch, RecommendBatchRequest.fromPartial({ userIds })),
};

for (const [name, watch] of Object.entries(LONG_CALLS)) {
  test(`${name} whose client vanishes gives its place and its connection back`, {
    skip: skipWithoutProc,
  }, async (t) => {
    await server.client.recommend('other');
    const files = openFiles();
    const cut = await Cut.before(t, server.address);
    const vanishing = new Client(cut.address);
    const call = watch(vanishing);
    await once(call, 'data');
    cut.cut();
    await once(call, 'error').catch(() => {}); // whichever end of the connection says so
    vanishing.close();
    await until('the connection was closed', () => openFiles() <= files);
    await until('another such call has a place', async () => {
      const another = watch(server.client);
      const begun = once(another, 'data').then(
        () => true,
        () => false,
      );
      if (await begun) another.on('error', () => {}).cancel();
      return begun;
    });
    await until('that one has ended too', () => openFiles() <= files);
  });
}
