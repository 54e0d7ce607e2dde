import { setTimeout as sleep } from 'node:timers/promises';
import { CreateExperimentRequest, ExperimentServiceService } from '../../proto/gen/accrete/v1/experiment.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { readMovieLensSmall } from '../data.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { recommendRequests } from './recommend-requests.ts';
import { ofRounds, type Report } from './report.ts';
import { DEFAULT_MODEL, readCpuTimes, requireConfigHash, withServer } from './server.ts';

/**
 * What an experiment adds to Recommend: calls for the same users that it answers by an arm, beside calls that name its model
 * and so are outside of it, in turn. Both arms have the default model.
 */

const ROUNDS = 24;
const CALLS = { together: 1500, alone: 400 };
const IN_FLIGHT = 32;
const TARGET = { atMost: 1.05 };
/** By then what was exposed is logged. */
const SETTLE_MS = 150;

export async function benchExperiments(report: Report): Promise<void> {
  report.heading('Recommend in an experiment, beside the same outside of it, of a fresh server on ml-latest-small');
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  const ratings = readMovieLensSmall();
  await withServer({ rating: { min: 0.5, max: 5 } }, async (server) => {
    await rateAll(server.client, encodeRatings(ratings, { batch: 1000 }), IN_FLIGHT);
    const arms = ['control', 'other'].map((name) => ({ name, model: DEFAULT_MODEL, weight: 1 }));
    const request = CreateExperimentRequest.fromPartial({ experiment: { name: 'bench', arms } });
    await server.client.call(ExperimentServiceService.createExperiment, request);
    const outside = recommendRequests(ratings, CALLS.together, { model: DEFAULT_MODEL });
    const inside = recommendRequests(ratings, CALLS.together);
    await compare(report, blast, server, outside, inside);
  });
}

async function compare(
  report: Report,
  blast: Blast,
  server: ServerProcess,
  outside: Uint8Array[],
  inside: Uint8Array[],
): Promise<void> {
  const ratios = { serving: [] as number[], process: [] as number[], p50: [] as number[], cpuUs: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    // Whoever is second in one round is first in the next.
    const order = round % 2 === 0 ? [outside, inside] : [inside, outside];
    const measured = [];
    for (const messages of order) measured.push(await measure(blast, server, messages));
    const [without, withIt] = round % 2 === 0 ? measured : measured.reverse();
    // In the first round the server still warms up.
    if (round === 0) continue;
    ratios.serving.push(withIt.servingUs / without.servingUs);
    ratios.process.push(withIt.processUs / without.processUs);
    ratios.p50.push(withIt.p50Us / without.p50Us);
    ratios.cpuUs.push(without.servingUs);
  }
  const configHash = await requireConfigHash(server);
  const add = (name: string, rounds: readonly number[], unit: string, target?: typeof TARGET) =>
    report.add({ part: 'experiments', name, ...ofRounds(rounds), unit, target, configHash });
  add('CPU of the thread that answers, a call outside', ratios.cpuUs, 'us');
  add('  in the experiment, times that', ratios.serving, '', TARGET);
  add('CPU of all threads, times that outside', ratios.process, '');
  add('p50 of calls one by one, times that outside', ratios.p50, '', TARGET);
}

async function measure(blast: Blast, server: ServerProcess, messages: Uint8Array[]) {
  const { path } = RecommenderServiceService.recommend;
  const load = { address: server.address, path, messages };
  const before = readCpuTimes(server);
  await blast.run({ ...load, calls: CALLS.together, inFlight: IN_FLIGHT });
  await sleep(SETTLE_MS);
  const after = readCpuTimes(server);
  const { p50Us } = await blast.run({ ...load, calls: CALLS.alone, inFlight: 1 });
  await sleep(SETTLE_MS);
  const perCall = (seconds: number) => (seconds / CALLS.together) * 1e6;
  return {
    servingUs: perCall(after.serving - before.serving),
    processUs: perCall(after.process - before.process),
    p50Us,
  };
}
