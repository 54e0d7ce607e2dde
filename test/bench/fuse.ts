import { FuseRequest, type FuseResult } from '../../proto/gen/accrete/v1/fuse.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { choose, find1m, find100k, type Ratings } from '../data.ts';
import { cpuSeconds } from '../support/processors.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { rateAndMeasure } from './prequential.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { recommendRequests } from './recommend-requests.ts';
import { ofRounds, type Report } from './report.ts';
import { requireConfigHash, withServer } from './server.ts';

/** REFIT through a server: what it is worth at the half of a stream, what it costs, and what calls beside it notice. */

const ROUNDS = 5;
const CALLS = 2000;
const MODEL = 'mf';
/** Ratings of a stream beside it. */
const BESIDE = 60_000;

export async function benchFuse(report: Report): Promise<void> {
  report.heading('Fuse REFIT of mf at the half of ml-100k, by a fresh server');
  const small = find100k();
  if (!small.ratings) report.note(String(small.skip));
  else {
    const { ratings } = small;
    const without = await withServer(SCALE, (server) => goOn(report, server, ratings, false));
    const refitted = await withServer(SCALE, (server) => goOn(report, server, ratings, true));
    const part = 'fuse ml-100k';
    report.add({ part, name: 'RMSE of the second half, online alone', value: without, unit: '' });
    const name = 'RMSE of the second half, after REFIT at the half';
    report.add({ part, name, value: refitted, unit: '', target: { atMost: 0.935 } });
  }
  report.heading('Fuse REFIT of mf over ml-1m, by a fresh server, and what goes on beside it');
  const large = find1m();
  if (!large.ratings) return report.note(String(large.skip));
  const { ratings } = large;
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  await withServer(SCALE, (server) => besideCalls(report, blast, server, ratings));
}

const SCALE = { rating: { min: 1, max: 5 } };

/** Ratings `from` up to `to`. */
export const part = (ratings: Ratings, from: number, to: number) =>
  choose(ratings, (place) => place >= from && place < to);

export const learn = ({ client }: ServerProcess, ratings: Ratings, batch = 200) =>
  rateAll(client, encodeRatings(ratings, { batch }), 8);

/** RMSE of the second half, each rating predicted before it was learned. */
async function goOn(report: Report, server: ServerProcess, ratings: Ratings, refits: boolean): Promise<number> {
  const half = Math.floor(ratings.count / 2);
  await learn(server, part(ratings, 0, half));
  if (refits) tell(report, await fuse(server, { margin: undefined }));
  if (refits && (await server.client.getModel(MODEL)).model?.version === '1') {
    report.note('the guard did not let it by its default margin: taken with a margin of 1');
    tell(report, await fuse(server, { margin: 1 }));
  }
  const found = await rateAndMeasure(server.client, part(ratings, half, ratings.count), [MODEL]);
  return found.recomputed.get(MODEL)?.rmse ?? Number.NaN;
}

function tell(report: Report, { decision, promoted, before, after }: FuseResult): void {
  report.note(`${promoted ? 'promoted' : 'not promoted'}: ${decision?.reason}`);
  const of = (rows: FuseResult['before']) => rows.find(({ metric }) => metric === 'rmse')?.value ?? Number.NaN;
  const place = { part: 'fuse ml-100k', unit: '' };
  report.add({ ...place, name: "RMSE of the guard's window, live", value: of(before) });
  report.add({ ...place, name: "RMSE of the guard's window, candidate", value: of(after) });
}

/** Hears of each phase when it begins. */
async function fuse(
  { client }: ServerProcess,
  { margin, validateOnly = false }: { margin: number | undefined; validateOnly?: boolean },
  onPhase: (phase: string) => void = () => {},
): Promise<FuseResult> {
  const request = FuseRequest.fromPartial({ model: MODEL, guard: { margin }, validateOnly });
  let phase = '';
  for await (const { event } of client.watch(RecommenderServiceService.fuse, request)) {
    if (event?.$case === 'result') return event.value;
    if (event?.$case !== 'progress' || event.value.phase === phase) continue;
    phase = event.value.phase;
    onPhase(phase);
  }
  throw new Error('Fuse ended without a result');
}

async function besideCalls(report: Report, blast: Blast, server: ServerProcess, ratings: Ratings): Promise<void> {
  const place = 'fuse ml-1m';
  const common = { part: place, configHash: '' };
  await learn(server, part(ratings, 0, ratings.count - 2 * BESIDE), 1000);
  common.configHash = await requireConfigHash(server, MODEL);
  const messages = recommendRequests(ratings, CALLS);
  const { path } = RecommenderServiceService.recommend;
  const ask = () => blast.run({ address: server.address, path, messages, calls: CALLS, inFlight: 1 });
  await ask();
  const ratios: number[] = [];
  const [idles, busies]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const idle = await ask();
    const fusing = fuse(server, { margin: 1, validateOnly: true });
    const busy = await ask();
    await fusing;
    idles.push(idle.p99Us);
    busies.push(busy.p99Us);
    ratios.push(busy.p99Us / idle.p99Us);
  }
  report.add({ ...common, name: 'p99 of Recommend, idle', ...ofRounds(idles), unit: 'us' });
  report.add({ ...common, name: 'p99 of Recommend, while REFIT runs', ...ofRounds(busies), unit: 'us' });
  const name = 'p99 of Recommend meanwhile, times idle';
  report.add({ ...common, name, ...ofRounds(ratios), unit: '', target: { atMost: 2 } });
  const first = ratings.count - 2 * BESIDE;
  const alone = await perSecond(server, part(ratings, first, first + BESIDE));
  const fusing = fuse(server, { margin: 1, validateOnly: true });
  const beside = await perSecond(server, part(ratings, first + BESIDE, ratings.count));
  await fusing;
  report.add({ ...common, name: 'import alone', value: alone, unit: 'ratings/s' });
  report.add({ ...common, name: 'import beside REFIT', value: beside, unit: 'ratings/s' });
  await phases(report, server, common);
}

/** How long each phase takes, in time and in CPU of the whole process, which does nothing else. */
async function phases(report: Report, server: ServerProcess, common: { part: string; configHash: string }) {
  const marks: { phase: string; ms: number; cpu: number }[] = [];
  const mark = (phase: string) => marks.push({ phase, ms: performance.now(), cpu: cpuSeconds(server) });
  mark('start');
  await fuse(server, { margin: 1 }, mark);
  mark('end');
  for (const [n, { phase, ms, cpu }] of marks.slice(0, -1).entries()) {
    const next = marks[n + 1];
    report.add({ ...common, name: `phase ${n} ${phase}`, value: (next.ms - ms) / 1000, unit: 's' });
    report.add({ ...common, name: `CPU of phase ${n} ${phase}`, value: next.cpu - cpu, unit: 's' });
  }
  const [first, last] = [marks[0], marks[marks.length - 1]];
  report.add({ ...common, name: 'Fuse REFIT', value: (last.ms - first.ms) / 1000, unit: 's' });
  const { model } = await server.client.getModel(MODEL);
  const bytes = model?.tables.reduce((sum, table) => sum + Number(table.bytes), 0) ?? Number.NaN;
  report.add({ ...common, name: 'tables of a version, in memory', value: bytes / 2 ** 20, unit: 'MiB' });
  const onDisk = Number(model?.versions[0].bytes) / 2 ** 20;
  report.add({ ...common, name: 'file of a version', value: onDisk, unit: 'MiB' });
}

async function perSecond(server: ServerProcess, ratings: Ratings): Promise<number> {
  const requests = encodeRatings(ratings, { batch: 1000 });
  const began = performance.now();
  await rateAll(server.client, requests, 32);
  return ratings.count / ((performance.now() - began) / 1000);
}
