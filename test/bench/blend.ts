import { type FuseSource, FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { find100k, type Ratings } from '../data.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { learn, part } from './fuse.ts';
import { rateAndMeasure } from './prequential.ts';
import type { Report } from './report.ts';
import { requireConfigHash, withServer } from './server.ts';

/** BLEND through a server: what it is worth at the half of a stream, each rating of the second predicted before it was learned. */

/** When the member that is trained is: what the guard judges a REFIT by comes before the half. */
const TRAINED_AT = 0.45;
const MODEL = 'mf';
const plugin = 'mf';
const MODELS = [
  { name: MODEL, plugin },
  { name: 'trained', plugin },
  { name: 'item-cf', plugin: 'item-cf' },
];
/** What a reference implementation came to by recursive least squares over a model that was trained and one that was not. */
const REFERENCE = 0.9285;

const CASES: Readonly<Record<string, readonly string[]>> = {
  'online alone': [],
  'BLEND with mf, trained before': ['trained'],
  'BLEND with item-cf': ['item-cf'],
  'BLEND with both': ['trained', 'item-cf'],
};

export async function benchBlend(report: Report): Promise<void> {
  report.heading('Fuse BLEND of mf at the half of ml-100k, by a fresh server');
  const { ratings, skip } = find100k();
  if (!ratings) return report.note(String(skip));
  for (const [name, sources] of Object.entries(CASES)) {
    const config = { rating: { min: 1, max: 5 }, models: MODELS };
    const found = await withServer(config, (server) => goOn(report, server, ratings, sources));
    const target = sources.length > 0 ? { atMost: REFERENCE } : undefined;
    const configHash = found.configHash;
    report.add({
      part: 'blend ml-100k',
      name: `RMSE of the second half, ${name}`,
      value: found.rmse,
      unit: '',
      configHash,
      target,
    });
  }
}

async function goOn(report: Report, server: ServerProcess, ratings: Ratings, members: readonly string[]) {
  const { client } = server;
  const [early, half] = [TRAINED_AT, 0.5].map((share) => Math.floor(share * ratings.count));
  await learn(server, part(ratings, 0, early));
  if (members.includes('trained')) await client.fuse({ model: 'trained', guard: { margin: 1 } });
  await learn(server, part(ratings, early, half));
  const sources: FuseSource[] = members.map((value) => ({ source: { $case: 'model', value } }));
  const strategy = FuseStrategy.FUSE_STRATEGY_BLEND;
  if (members.length > 0) {
    const { result } = await client.fuse({ model: MODEL, strategy, sources });
    report.note(`${members.join(', ')}: ${result.promoted ? 'promoted' : 'not promoted'}: ${result.decision?.reason}`);
    if (!result.promoted) {
      report.note('the guard did not let it by its default margin: taken with a margin of 1');
      await client.fuse({ model: MODEL, strategy, sources, guard: { margin: 1 } });
    }
  }
  const found = await rateAndMeasure(client, part(ratings, half, ratings.count), [MODEL]);
  return { rmse: found.recomputed.get(MODEL)?.rmse ?? Number.NaN, configHash: await requireConfigHash(server, MODEL) };
}
