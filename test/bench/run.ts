import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchAccess } from './access.ts';
import { benchBandits } from './bandits.ts';
import { benchBeside } from './beside.ts';
import { benchBlend } from './blend.ts';
import { CACHE } from './cache.ts';
import { benchDevices } from './devices.ts';
import { benchDrift } from './drift.ts';
import { benchDurability } from './durability.ts';
import { benchExperiments } from './experiments.ts';
import { benchExploring } from './exploring.ts';
import { benchForgetting } from './forgetting.ts';
import { benchFreshness } from './freshness/freshness.ts';
import { benchFuse } from './fuse.ts';
import { benchStrategies } from './fuse-strategies.ts';
import { benchIdle } from './idle.ts';
import { benchImplicit } from './implicit.ts';
import { benchIngest } from './ingest.ts';
import { benchInterleaving } from './interleaving.ts';
import { benchIsolated } from './isolated.ts';
import { benchKernels } from './kernels.ts';
import { benchLeaveLastOut } from './leave-last-out.ts';
import { benchLoading } from './loading.ts';
import { benchObjectives } from './objectives.ts';
import { benchOffPolicy } from './off-policy.ts';
import { benchOffers } from './offers.ts';
import { benchOptions } from './options.ts';
import { benchPlugins } from './plugins.ts';
import { benchQuality } from './quality.ts';
import { benchRecommend } from './recommend.ts';
import { benchRefit } from './refit.ts';
import { Report } from './report.ts';
import { benchScales } from './scales.ts';

/** `npm run bench`: measures, prints, and keeps what was found as JSON. */

const PARTS = {
  quality: benchQuality,
  'leave-last-out': benchLeaveLastOut,
  plugins: benchPlugins,
  implicit: benchImplicit,
  refit: benchRefit,
  freshness: benchFreshness,
  fuse: benchFuse,
  blend: benchBlend,
  strategies: benchStrategies,
  scales: benchScales,
  ingest: benchIngest,
  recommend: benchRecommend,
  options: benchOptions,
  experiments: benchExperiments,
  access: benchAccess,
  beside: benchBeside,
  isolated: benchIsolated,
  loading: benchLoading,
  durability: benchDurability,
  forgetting: benchForgetting,
  drift: benchDrift,
  kernels: benchKernels,
  devices: benchDevices,
  offers: benchOffers,
  'off-policy': benchOffPolicy,
  bandits: benchBandits,
  interleaving: benchInterleaving,
  exploring: benchExploring,
  objectives: benchObjectives,
  idle: benchIdle,
};
type Part = keyof typeof PARTS;

const USAGE = `Usage: npm run bench -- [--strict] [PART]...

Parts: ${Object.keys(PARTS).join(', ')}; all of them when none is named.
--strict  exit with 1 when a target is missed

The figures of a full run are kept in test/bench/results/, those of some parts in build/bench/results/.
`;
const RESULTS = fileURLToPath(new URL('./results', import.meta.url));

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { strict: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const all = Object.keys(PARTS) as Part[];
  const unknown = positionals.filter((name) => !all.includes(name as Part));
  if (values.help || unknown.length > 0) {
    process.stderr.write(unknown.length > 0 ? `bench: there is no part ${unknown.join(', ')}\n\n${USAGE}` : USAGE);
    return values.help ? 0 : 2;
  }
  const parts = positionals.length > 0 ? all.filter((name) => positionals.includes(name)) : all;
  const report = new Report();
  for (const part of parts) await PARTS[part](report);
  const path = report.write(parts.length === all.length ? RESULTS : `${CACHE}/results`, parts);
  const { met, of } = report.targets;
  console.log(`\n${met} of ${of} targets met. Written to ${path}`);
  return values.strict && met < of ? 1 : 0;
}

process.exitCode = await main();
