import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { find1m, type Ratings } from '../data.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { recommendRequests } from './recommend-requests.ts';
import { ofRounds, type Report } from './report.ts';
import { requireConfigHash, withServer } from './server.ts';

/** A model that is loaded over a journal of 1,000,209 ratings, and Recommend's p99 meanwhile, beside idle, in turn. */

const ROUNDS = 3;
const CALLS = 2000;

export async function benchLoading(report: Report): Promise<void> {
  report.heading('LoadModel of mf over ml-1m, by a fresh server');
  const { skip, ratings } = find1m();
  if (!ratings) return report.note(String(skip));
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  await withServer({}, (server) => loadBesideCalls(report, blast, server, ratings));
}

async function loadBesideCalls(report: Report, blast: Blast, server: ServerProcess, ratings: Ratings): Promise<void> {
  const part = 'loading';
  await rateAll(server.client, encodeRatings(ratings, { batch: 1000 }), 32);
  const [configHash, configHashOfMf] = [await requireConfigHash(server), await requireConfigHash(server, 'mf')];
  const messages = recommendRequests(ratings, CALLS);
  const { path } = RecommenderServiceService.recommend;
  const ask = () => blast.run({ address: server.address, path, messages, calls: CALLS, inFlight: 1 });
  await ask();
  const seconds: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const idle = await ask();
    const began = performance.now();
    const loading = load(server, `copy-${round}`).then(() => (performance.now() - began) / 1000);
    const busy = await ask();
    seconds.push(await loading);
    ratios.push(busy.p99Us / idle.p99Us);
    report.add({ part, name: 'p99 of Recommend, idle', value: idle.p99Us, unit: 'us', configHash });
    report.add({ part, name: 'p99 of Recommend, while a model is loaded', value: busy.p99Us, unit: 'us', configHash });
    await server.client.call(ModelServiceService.unloadModel, { name: `copy-${round}`, version: '' });
  }
  const target = { atMost: 10 };
  report.add({ part, name: 'LoadModel', ...ofRounds(seconds), unit: 's', target, configHash: configHashOfMf });
  const name = 'p99 of Recommend meanwhile, times idle';
  report.add({ part, name, ...ofRounds(ratios), unit: '', target: { atMost: 2 }, configHash });
}

function load({ client }: ServerProcess, name: string) {
  return client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial({ name, plugin: 'mf' }));
}
