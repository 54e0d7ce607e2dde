import { Random } from '../../plugins/contract/index.ts';
import { joinSources } from '../../server/jobs/fuse/make-candidate.ts';
import { type FuseOptions, type Joining, STRATEGIES } from '../../server/jobs/fuse/strategies/strategies.ts';
import { Meter } from '../../server/jobs/meter.ts';
import { fusionOf, readBlocks, writeBlocks } from '../../server/models/fusion.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { find100k, type Ratings } from '../data.ts';
import { Lab, type Rating } from '../laws/lab.ts';
import type { Report } from './report.ts';

/**
 * What strategies of Fuse are worth: two models that learned different parts of ml-100k, made one, in process. 40% of the
 * ratings each, drawn at random, and 20% to judge by; figures to compare with are of matrix factorization with 16 factors.
 */

const SHARES = { base: 0.4, increment: 0.4 };
const SEEDS = [1, 2, 3];
const SETTINGS = { base: 'biases', ranking: 'taste', k: 16, refit: { epochs: Number(process.env.E ?? 30), l2: Number(process.env.L ?? 0.14), eta: Number(process.env.H ?? 0.01) } };
/** Of a refit that starts from a model. */
const WARM_EPOCHS = 10;
const means = { meter: new Meter(() => {}), device: new LocalDevice(2 ** 30, new DeviceMeter()) };
const plugin = await loadPlugin('mf');

/** Of ALGORITHMS: what a reference implementation came to. */
const REFERENCE = {
  'base alone': 0.9541,
  'increment alone': 0.953,
  'AVERAGE, forced': 0.9384,
  PROCRUSTES: 0.934,
  CONCAT: 0.9348,
  'REFIT of the base over both': 0.9307,
  'one model of both': 0.9158,
} as const;
type Name = keyof typeof REFERENCE;

export async function benchStrategies(report: Report): Promise<void> {
  report.heading('Fuse of two models that learned different ratings: base 40%, increment 40%, judged by 20% of ml-100k');
  const found = find100k();
  if (!found.ratings) return report.note(String(found.skip));
  const runs: Record<Name, number>[] = [];
  for (const seed of SEEDS) runs.push(await compare(found.ratings, seed));
  for (const name of Object.keys(REFERENCE) as Name[]) {
    const value = runs.reduce((sum, run) => sum + run[name], 0) / runs.length;
    report.add({ part: 'fuse strategies', name: `RMSE, ${name}`, value, unit: '', target: { atMost: REFERENCE[name] } });
  }
}

async function compare(ratings: Ratings, seed: number): Promise<Record<Name, number>> {
  const all = shuffled(ratings, seed);
  const [first, second] = [SHARES.base, SHARES.base + SHARES.increment].map((share) => Math.round(share * all.length));
  const [base, increment, test] = [all.slice(0, first), all.slice(first, second), all.slice(second)];
  const ids = idsOf(ratings);
  const trained = async (shard: readonly Rating[], modelSeed: number, start?: Lab) => {
    const refit = start ? { ...SETTINGS.refit, epochs: WARM_EPOCHS } : SETTINGS.refit;
    const config = plugin.config.parse({ ...SETTINGS, refit, seed: modelSeed });
    const lab = new Lab(plugin, config, { before: [...ids, ...shard], budgetMiB: 256 });
    if (start) writeBlocks(lab.model, readBlocks(start.model, meaningsOf(start)));
    for await (const _ of lab.model.refit(seed, means.device));
    return lab;
  };
  const [ofBase, ofIncrement] = [await trained(base, 10 * seed), await trained(increment, 10 * seed + 1)];
  const errorOf = (lab: Lab) => rmse(lab, test);
  const fused = async (strategy: Joining, options: Partial<FuseOptions> = {}) => {
    // A world that knows the ratings of the base, and a model that learned them.
    const lab = await trained(base, 10 * seed);
    const blocks = readBlocks(ofIncrement.model, meaningsOf(lab));
    const source = { name: 'increment', field: 'sources[0]', isForeign: true, blocks };
    await joinSources(lab.model, [source], strategy, { seed, rank: 0, force: false, ...options }, means);
    return errorOf(lab);
  };
  return {
    'base alone': errorOf(ofBase),
    'increment alone': errorOf(ofIncrement),
    'AVERAGE, forced': await fused(STRATEGIES.AVERAGE, { force: true }),
    PROCRUSTES: await fused(STRATEGIES.PROCRUSTES),
    CONCAT: await fused(STRATEGIES.CONCAT),
    'REFIT of the base over both': errorOf(await trained([...base, ...increment], 10 * seed, ofBase)),
    'one model of both': errorOf(await trained([...base, ...increment], 10 * seed)),
  };
}

function meaningsOf({ model }: Lab) {
  const fusion = fusionOf(plugin, model.descriptor.config);
  if (typeof fusion === 'string') throw new Error(fusion);
  return fusion.columns;
}

function shuffled({ user, item, value, time, count }: Ratings, seed: number): Rating[] {
  const random = new Random();
  random.key(seed, 0);
  const order = Uint32Array.from({ length: count }, (_, n) => n);
  for (let n = count - 1; n > 0; n--) {
    const other = random.below(n + 1);
    [order[n], order[other]] = [order[other], order[n]];
  }
  return Array.from(order, (n) => ({ user: `${user[n]}`, item: `${item[n]}`, value: value[n], time: time[n] }));
}

/** Brings ids into a world, in the same order into each, and leaves no rating: so rows have the same numbers. */
function idsOf({ user, item }: Ratings): Rating[] {
  const [users, items] = [[...new Set(user)], [...new Set(item)]];
  const pairs = [
    ...users.map((each) => ({ user: `${each}`, item: `${items[0]}` })),
    ...items.map((each) => ({ user: `${users[0]}`, item: `${each}` })),
  ];
  return pairs.flatMap((pair) => [
    { ...pair, value: 3 },
    { ...pair, retract: true },
  ]);
}

function rmse(lab: Lab, test: readonly Rating[]): number {
  let sum = 0;
  for (const { user, item, value = 0 } of test) {
    const expected = Math.min(5, Math.max(1, lab.predict(user, item)));
    sum += (value - expected) ** 2;
  }
  return Math.sqrt(sum / test.length);
}
if (import.meta.main) {
  const { ratings } = find100k();
  if (ratings) console.log(await compare(ratings, 1));
}
