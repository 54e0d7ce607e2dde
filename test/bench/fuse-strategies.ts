import { Random } from '../../plugins/contract/index.ts';
import { joinSources } from '../../server/jobs/fuse/make-candidate.ts';
import { SourceMemory } from '../../server/jobs/fuse/source-memory.ts';
import type { Member } from '../../server/jobs/fuse/strategies/members.ts';
import { type Joining, STRATEGIES } from '../../server/jobs/fuse/strategies/strategies.ts';
import { Meter } from '../../server/jobs/meter.ts';
import { fusionOf, readBlocks, writeBlocks } from '../../server/models/fusion.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { find100k, type Ratings } from '../data.ts';
import { Lab, type Rating } from '../laws/lab.ts';
import { ofRounds, type Report } from './report.ts';

/**
 * What strategies of Fuse are worth: two models that learned different parts of ml-100k, made one, in process. A fifth of the
 * ratings, drawn at random, judges; each model learns one half of the others.
 */

const TEST_SHARE = 0.2;
const SEEDS = [1, 2, 3];
/** As the figures to compare with were measured: 16 factors and biases, learned in batch. */
const SETTINGS = { base: 'biases', ranking: 'taste', k: 16, refit: { epochs: 80, keep: 1, l2: 0.14 } };
/** Of a refit that starts from a model. */
const WARM_EPOCHS = 10;
const means = {
  meter: new Meter(() => {}),
  device: new LocalDevice(2 ** 30, new DeviceMeter()),
  memory: new SourceMemory(1024),
};
const plugin = await loadPlugin('mf');

/** Which half of the ratings, which are in any order, is the increment's. */
const HALVES: Readonly<Record<string, (ratings: readonly Rating[]) => (rating: Rating, n: number) => boolean>> = {
  'drawn at random': () => (_rating, n) => n % 2 === 1,
  'of other users': () => (rating) => Number(rating.user) % 2 === 1,
  'of later times': (ratings) => {
    const times = ratings.map(({ time = 0 }) => time).sort((a, b) => a - b);
    const middle = times[Math.floor(times.length / 2)];
    return ({ time = 0 }) => time >= middle;
  },
};

/** What a reference implementation came to with halves drawn at random. */
const REFERENCE: Readonly<Record<string, number | undefined>> = {
  'base alone': undefined,
  'increment alone': undefined,
  'AVERAGE, forced': undefined,
  PROCRUSTES: 0.934,
  CONCAT: 0.9348,
  'REFIT of the base over both': 0.9307,
  'one model of both': undefined,
};

export async function benchStrategies(report: Report): Promise<void> {
  const found = find100k();
  if (!found.ratings) return report.note(String(found.skip));
  for (const [halves, isOf] of Object.entries(HALVES)) {
    report.heading(`Fuse of two models that learned different ratings of ml-100k: halves ${halves}`);
    const runs: Record<string, number>[] = [];
    for (const seed of SEEDS) runs.push(await compare(found.ratings, seed, isOf));
    for (const name of Object.keys(REFERENCE)) {
      const figure = { part: `fuse of halves ${halves}`, name: `RMSE, ${name}`, unit: '' };
      const reference = halves === 'drawn at random' ? REFERENCE[name] : undefined;
      const target = reference === undefined ? undefined : { atMost: reference };
      report.add({ ...figure, ...ofRounds(runs.map((run) => run[name])), target });
    }
  }
}

async function compare(ratings: Ratings, seed: number, isOf: (typeof HALVES)[string]): Promise<Record<string, number>> {
  const all = shuffled(ratings, seed);
  const split = Math.round(TEST_SHARE * all.length);
  const [test, both] = [all.slice(0, split), all.slice(split)];
  const isIncrement = isOf(both);
  const increment = both.filter(isIncrement);
  const base = both.filter((rating, n) => !isIncrement(rating, n));
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
  const baseBlocks = readBlocks(ofBase.model, meaningsOf(ofBase));
  const source: Member = {
    name: 'increment',
    field: 'sources[0]',
    isForeign: true,
    blocks: readBlocks(ofIncrement.model, meaningsOf(ofIncrement)),
  };
  const fused = async (strategy: Joining, force = false) => {
    await joinSources(ofBase.model, () => [source], strategy, { seed, rank: 0, force }, means);
    const found = rmse(ofBase, test);
    writeBlocks(ofBase.model, baseBlocks);
    return found;
  };
  return {
    'base alone': rmse(ofBase, test),
    'increment alone': rmse(ofIncrement, test),
    'AVERAGE, forced': await fused(STRATEGIES.AVERAGE, true),
    PROCRUSTES: await fused(STRATEGIES.PROCRUSTES),
    CONCAT: await fused(STRATEGIES.CONCAT),
    'REFIT of the base over both': rmse(await trained(both, 10 * seed, ofBase), test),
    'one model of both': rmse(await trained(both, 10 * seed), test),
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
